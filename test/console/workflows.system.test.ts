// The page Workflows, as an operator uses it, in a real Chromium: a file becomes a workflow.

import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { canvas, field, gives, takes } from '../core/workflow-file/files.ts';
import { type Console, hasChromium, openConsole, type Visit } from './console.ts';

describe.skipIf(!hasChromium)('Workflows', () => {
  let shown: Console;
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'workflows-'));
    await cp('workflows', folder, { recursive: true });
    shown = await openConsole({ WORKFLOWS_PATH: folder });
  });
  afterAll(async () => {
    await shown?.close();
    await rm(folder, { recursive: true, force: true });
  });

  const drawn = canvas(
    [
      {
        id: 1,
        type: 'EmptyImage',
        outputs: [gives('IMAGE', 1)],
        inputs: [field('width', 'INT'), field('height', 'INT')],
        widgets_values: [64, 64, 1, 255],
      },
      { id: 2, type: 'SaveImage', inputs: [takes('images', 'IMAGE', 1)], widgets_values: ['Blue'] },
    ],
    [[1, 1, 0, 2, 0, 'IMAGE']],
  );

  const exported = {
    '1': { class_type: 'EmptyImage', inputs: { width: 64, height: 64, batch_size: 1, color: 255 } },
    '2': { class_type: 'SaveImage', inputs: { images: ['1', 0], filename_prefix: 'Blue' } },
  };

  async function drop({ page }: Visit, name: string, content: string | object): Promise<void> {
    const text = typeof content === 'string' ? content : JSON.stringify(content);
    await page.locator('input[type=file]').setInputFiles({
      name,
      mimeType: 'application/json',
      buffer: Buffer.from(text),
    });
  }

  test('a canvas file is converted, its fields chosen, saved, tried, and removed', async () => {
    const visit = await shown.visit({ at: '#/workflows' });
    const { page, close } = visit;
    await page.getByRole('heading', { name: 'FLUX.2 Turbo', exact: true }).waitFor();
    await drop(visit, 'Plain Blue.json', drawn);
    await page.getByText('Converted from a canvas file.').waitFor();
    await page.getByRole('heading', { name: 'What Plain Blue.json would become' }).waitFor();
    expect(await page.getByLabel('Title', { exact: true }).inputValue()).toBe('Plain Blue');
    await page.getByLabel('Title', { exact: true }).fill('Plainly blue');
    // A look at another page loses nothing.
    await page.getByRole('link', { name: 'Make' }).click();
    await page.getByLabel('Prompt', { exact: true }).waitFor();
    await page.goBack();
    await page.getByLabel('Title', { exact: true }).waitFor();
    expect(await page.getByLabel('Title', { exact: true }).inputValue()).toBe('Plainly blue');
    const row = page.getByRole('row').filter({ has: page.getByLabel('May be set: width') });
    expect(await row.innerText()).toMatch(/#1[^]*width\s+64/);
    const height = page.getByLabel('May be set: height');
    if (await height.isChecked()) await height.uncheck();
    await page.getByLabel('May be set: width').check();
    await page.getByLabel('Name of the input: width').fill('side');
    await page.getByLabel('Max.: width').fill('256');
    await page.getByLabel('Try it once').check();
    await page.getByRole('button', { name: 'Save' }).click();
    // In its place, not on another page.
    await page.getByRole('region', { name: 'plain_blue, tried once' }).getByText('Done').waitFor();
    expect(page.url()).toContain('#/workflows');
    const inputs = JSON.parse(await readFile(join(folder, 'plain_blue.inputs.json'), 'utf8')) as {
      title: string;
      inputs: Record<string, object>;
    };
    expect(inputs.title).toBe('Plainly blue');
    expect(inputs.inputs['side']).toMatchObject({ maximum: 256, to: '1.width' });
    expect(inputs.inputs).not.toHaveProperty('height');
    const item = page.getByRole('listitem').filter({ hasText: 'plain_blue' });
    await item.getByText('1 host can run it').waitFor();
    await item.getByRole('button', { name: 'Use' }).click();
    await page.getByRole('textbox', { name: 'width' }).waitFor();
    await page.getByRole('link', { name: 'Workflows' }).click();
    await item.getByRole('button', { name: 'Remove' }).click();
    expect(await page.getByRole('dialog').innerText()).toContain('git checkout workflows');
    await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
    await item.waitFor({ state: 'detached' });
    await close();
  });

  test('what is wrong with a file, or with what was made of it, is said', async () => {
    const visit = await shown.visit({ at: '#/workflows' });
    const { page, close } = visit;
    await page.getByRole('heading', { name: 'FLUX.2 Turbo', exact: true }).waitFor();
    await drop(visit, 'no.json', 'not json');
    await expect.poll(() => page.getByRole('alert').innerText()).toContain('no.json');
    await drop(visit, 'blue.json', drawn);
    const name = page.getByLabel('Name', { exact: true });
    await name.fill('no name');
    expect(await page.getByRole('alert').count()).toBe(0);
    await page.getByRole('button', { name: 'Save' }).click();
    await page.locator('.field.wrong').filter({ has: name }).waitFor();
    await name.fill('blue');
    const called = page.getByLabel('Name of the input: width');
    await called.fill('height');
    await page.getByRole('button', { name: 'Save' }).click();
    await expect.poll(() => page.getByRole('alert').innerText()).toContain('height');
    await called.fill('width');
    await page.getByLabel('Max.: width').fill('many');
    await page.getByRole('button', { name: 'Save' }).click();
    await expect.poll(() => page.getByRole('alert').innerText()).toMatch(/width/);
    const saved = page.waitForEvent('download');
    await page.getByRole('button', { name: 'blue.json' }).click();
    expect((await saved).suggestedFilename()).toBe('blue.json');
    await page.getByRole('button', { name: 'Discard' }).click();
    expect(await page.getByRole('button', { name: 'Save' }).count()).toBe(0);
    await close();
  });

  test('one that is removed while its form is open is said to be gone, and another form is there', async () => {
    const graph = {
      '1': { class_type: 'EmptyImage', inputs: { width: 64, height: 64, batch_size: 1, color: 0 } },
      '2': { class_type: 'SaveImage', inputs: { images: ['1', 0], filename_prefix: 'x' } },
    };
    const inputs = { color: { type: 'integer', to: '1.color', title: 'Color', default: 0 } };
    const saved = await fetch(`${shown.url}api/workflows/passing`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ graph, inputs_file: { title: 'Passing', inputs } }),
    });
    expect(saved.status).toBe(200);
    const { page, close } = await shown.visit();
    const chosen = page.getByLabel('Workflow', { exact: true });
    await chosen.selectOption('passing');
    await page.getByRole('textbox', { name: 'Color' }).fill('7');
    await fetch(`${shown.url}api/workflows/passing`, { method: 'DELETE' });
    await page.getByRole('button', { name: 'Queue', exact: true }).click();
    await page.locator('.notice.fault').getByText('workflow').waitFor();
    await expect.poll(() => chosen.inputValue()).toBe('flux2_turbo_default');
    await page.getByLabel('Prompt', { exact: true }).waitFor();
    await close();
  });

  test('one of the same name is replaced after a question', async () => {
    const visit = await shown.visit({ at: '#/workflows' });
    const { page, close } = visit;
    const save = page.getByRole('button', { name: 'Save' });
    const question = page.getByRole('dialog', { name: 'Replace twice?' });
    for (const title of ['First', 'Second']) {
      await drop(visit, 'twice.json', drawn);
      await page.getByLabel('Title', { exact: true }).fill(title);
      await save.click();
      if (title === 'Second') {
        await question.getByRole('button', { name: 'Back' }).click();
        await page.locator('.field.wrong').getByLabel('Name', { exact: true }).waitFor();
        await save.click();
        await question.getByRole('button', { name: 'Replace' }).click();
      }
      await page.getByRole('listitem').getByRole('heading', { name: title }).waitFor();
    }
    const notice = page.locator('.notice').first();
    await notice.getByRole('button', { name: 'Dismiss' }).click();
    await notice.waitFor({ state: 'detached' });
    await close();
  });

  test('what no host can run is saved after a question, and said to be so', async () => {
    const visit = await shown.visit({ at: '#/workflows' });
    const { page, close } = visit;
    await drop(visit, 'absent.json', {
      '4': { class_type: 'NobodyHasThis', inputs: { strength: 1 } },
      '9': { class_type: 'SaveImage', inputs: { images: ['4', 0], filename_prefix: 'A' } },
    });
    await page.getByRole('button', { name: 'Save' }).click();
    const question = page.getByRole('dialog', { name: 'Save absent anyway?' });
    await question.getByText(/NobodyHasThis/).waitFor();
    await question.getByRole('button', { name: 'Save anyway' }).click();
    await page.locator('.notice.fault').getByText('no host can run it yet').waitFor();
    await page.getByRole('listitem').filter({ hasText: 'absent' }).getByText('no host can run it').waitFor();
    await close();
  });

  test('numbers of 64 bits stay as the file has them, and as they are typed', async () => {
    const visit = await shown.visit({ at: '#/workflows' });
    const { page, close } = visit;
    // As text: a number of this language would round them.
    await drop(
      visit,
      'exact.json',
      `{ "4": { "class_type": "NobodyHasThis", "inputs": { "noise_seed": 18446744073709551615, "large": 9007199254740993 } },
         "9": { "class_type": "SaveImage", "inputs": { "images": ["4", 0], "filename_prefix": "A" } } }`,
    );
    await page.getByRole('cell', { name: /noise_seed\s+18446744073709551615/ }).waitFor();
    await page.getByRole('cell', { name: /large\s+9007199254740993/ }).waitFor();
    await page.getByLabel('May be set: large').check();
    await page.getByLabel('Max.: large').fill('18446744073709551614');
    const whole = page.waitForEvent('download');
    await page.getByRole('button', { name: 'exact.inputs.json' }).click();
    const inputs = await readFile(await (await whole).path(), 'utf8');
    expect(inputs).toContain('"default": 9007199254740993');
    expect(inputs).toContain('"maximum": 18446744073709551614');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('button', { name: 'Save anyway' }).click();
    await page.getByRole('listitem').filter({ hasText: 'exact' }).waitFor();
    expect(await readFile(join(folder, 'exact.json'), 'utf8')).toContain('"noise_seed":18446744073709551615');
    expect(await readFile(join(folder, 'exact.inputs.json'), 'utf8')).toMatch(
      /"default":9007199254740993.*"maximum":18446744073709551614/,
    );
    await close();
  });

  test('a file whose name says nothing is called by what it saves, or else in the page’s language', async () => {
    const visit = await shown.visit({ at: '#/workflows', locale: 'de' });
    const { page, close } = visit;
    const title = page.getByLabel('Titel', { exact: true });
    await drop(visit, 'workflow (2).json', drawn);
    await expect.poll(() => title.inputValue()).toBe('Blue');
    const unnamed = drawn.nodes.map((node) =>
      node.id === 2 ? { ...node, widgets_values: ['ComfyUI'] } : node,
    );
    await drop(visit, 'Größe.json', { ...drawn, nodes: unnamed });
    await expect.poll(() => title.inputValue()).toBe('Größe');
    expect(await page.getByLabel('Name', { exact: true }).inputValue()).toBe('groesse');
    await drop(visit, 'ComfyUI_00001_.json', { ...drawn, nodes: unnamed });
    await expect.poll(() => title.inputValue()).toBe('Neuer Workflow');
    await close();
  });

  test('translations of a workflow that is replaced stay, and it is said', async () => {
    const texts = { de: { title: 'Einfach blau', inputs: { width: { title: 'Breite' } } } };
    const sent = async (inputs: object) =>
      fetch(`${shown.url}api/workflows/spoken`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ graph: exported, inputs_file: inputs }),
      });
    const width = { type: 'integer', default: 64, to: '1.width' };
    const answer = await sent({
      title: 'Blue',
      language: 'en',
      inputs: { width },
      translations: texts,
    });
    expect(answer.status).toBe(200);
    const visit = await shown.visit({ at: '#/workflows' });
    const { page, close } = visit;
    await drop(visit, 'spoken.json', drawn);
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Replace' }).click();
    await page.getByText('Its translations were kept: German').waitFor();
    await page.getByLabel('Language').selectOption('de');
    await page.getByRole('heading', { name: 'Einfach blau' }).waitFor();
    await close();
  });

  test.each([
    ['light', 360, 'en-GB'],
    ['dark', 3840, 'de-DE'],
  ] as const)(
    'axe finds nothing, and nothing is cut off: %s, %i pixels, %s',
    async (colorScheme, width, locale) => {
      const visit = await shown.visit({
        at: '#/workflows',
        colorScheme,
        locale,
        viewport: { width, height: 800 },
      });
      const { page, axe, close } = visit;
      await page.getByRole('heading', { name: 'FLUX.2 Turbo', exact: true }).waitFor();
      await drop(visit, 'blue.json', drawn);
      await page.locator('form table').waitFor();
      expect(await axe()).toEqual([]);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
      await close();
    },
  );
});

describe.skipIf(!hasChromium)('Workflows, with a key that is no operator’s', () => {
  let shown: Console;
  beforeAll(async () => {
    shown = await openConsole({ API_KEYS: 'required' });
  });
  afterAll(() => shown?.close());

  test('the list is there, and nothing that adds or removes', async () => {
    const key = await shown.key('erin');
    const { page, axe, close } = await shown.visit({ viewport: { width: 360, height: 800 } });
    await page.getByLabel('Key', { exact: true }).fill(key);
    await page.keyboard.press('Enter');
    await page.getByRole('link', { name: 'Workflows' }).click();
    const item = page.getByRole('listitem').filter({ hasText: 'flux2_turbo_default' });
    await item.getByText('1 host can run it').waitFor();
    for (const known of ['negative_prompt', '.safetensors']) expect(await item.innerText()).toContain(known);
    expect(await page.getByRole('region', { name: 'Add a workflow' }).count()).toBe(0);
    expect(await page.getByRole('button', { name: 'Remove' }).count()).toBe(0);
    expect(await axe()).toEqual([]);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(360);
    await item.getByRole('button', { name: 'Use' }).click();
    await page.getByLabel('Prompt', { exact: true }).waitFor();
    await close();
  });
});
