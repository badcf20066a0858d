// The page Workflows, as an operator uses it, in a real Chromium: a file becomes a workflow.

import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { nameOf } from '../../console/pages/workflows/draft.ts';
import { canvas, field, gives, takes } from '../core/workflow-file/files.ts';
import { type Console, hasChromium, openConsole, type Visit } from './console.ts';

test.each([
  ['My Workflow (2).json', 'my_workflow_2'],
  ['../../etc/passwd', 'workflow'],
  ['Größe.png', 'gr_e'],
  ['.json', 'workflow'],
])('%s is called %s', (filename, name) => {
  expect(nameOf(filename)).toBe(name);
});

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
    await page.getByLabel('Title', { exact: true }).fill('Plainly blue');
    const height = page.getByLabel('May be set: height');
    if (await height.isChecked()) await height.uncheck();
    await page.getByLabel('May be set: width').check();
    await page.getByLabel('Name of the input: width').fill('side');
    await page.getByLabel('Most: width').fill('256');
    await page.getByLabel('Try it once').check();
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('article', { name: 'plain_blue' }).getByText('Done').waitFor();
    const inputs = JSON.parse(await readFile(join(folder, 'plain_blue.inputs.json'), 'utf8')) as {
      title: string;
      inputs: Record<string, object>;
    };
    expect(inputs.title).toBe('Plainly blue');
    expect(inputs.inputs['side']).toMatchObject({ maximum: 256, to: '1.width' });
    expect(inputs.inputs).not.toHaveProperty('height');
    await page.getByLabel('Workflow').selectOption('plain_blue');
    await page.getByRole('textbox', { name: 'width' }).waitFor();

    await page.getByRole('link', { name: 'Workflows' }).click();
    const item = page.getByRole('listitem').filter({ hasText: 'plain_blue' });
    await item.getByText('1 host can run it').waitFor();
    await item.getByRole('button', { name: 'Remove' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
    await item.waitFor({ state: 'detached' });
    await close();
  });

  test('what is wrong with a file, or with what was made of it, is said', async () => {
    const visit = await shown.visit({ at: '#/workflows' });
    const { page, close } = visit;
    await page.getByRole('heading', { name: 'FLUX.2 Turbo', exact: true }).waitFor();
    await drop(visit, 'no.json', 'not json');
    await page.locator('.notice.fault').waitFor();
    await drop(visit, 'flux2_turbo_default.json', drawn);
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('alert').waitFor();
    await page.getByLabel('Name', { exact: true }).fill('blue');
    await page.getByLabel('Most: width').fill('many');
    await page.getByRole('button', { name: 'Save' }).click();
    await expect.poll(() => page.getByRole('alert').innerText()).toMatch(/width/);
    const saved = page.waitForEvent('download');
    await page.getByRole('button', { name: 'blue.json' }).click();
    expect((await saved).suggestedFilename()).toBe('blue.json');
    await page.getByRole('button', { name: 'Discard' }).click();
    expect(await page.getByRole('button', { name: 'Save' }).count()).toBe(0);
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
