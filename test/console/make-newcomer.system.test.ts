// What a newcomer stumbled over on the page Make: what is done says so, and what is gone goes.

import { cp, mkdtemp, rm, writeFile, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PNG } from 'pngjs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Console, hasChromium, isFocused, openConsole, property, type Visit } from './console.ts';

describe.skipIf(!hasChromium)('Make, to a newcomer', () => {
  let shown: Console;
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'workflows-'));
    await cp('workflows', folder, { recursive: true });
    await addInpaint();
    shown = await openConsole({ WORKFLOWS_PATH: folder });
  });
  afterAll(async () => {
    await shown?.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** As the one that follows an image, but the mask of the image goes on. */
  async function addInpaint(): Promise<void> {
    const read = async (file: string) =>
      JSON.parse(await readFile(join('workflows', `flux2_turbo_controlnet${file}`), 'utf8')) as {
        [node: string]: { inputs: Record<string, unknown> };
      };
    const graph = await read('.json');
    graph['13']!.inputs['mask'] = ['12', 1];
    await writeFile(join(folder, 'inpaint.json'), JSON.stringify(graph));
    await writeFile(
      join(folder, 'inpaint.inputs.json'),
      JSON.stringify({ ...(await read('.inputs.json')), title: 'Inpaint' }),
    );
  }

  async function make({ page }: Visit, prompt: string): Promise<void> {
    await page.getByLabel('Prompt', { exact: true }).fill(prompt);
    await page.getByRole('textbox', { name: 'Width' }).fill('256');
    await page.getByRole('textbox', { name: 'Height' }).fill('256');
    await page.keyboard.press('Control+Enter');
  }

  test('that ComfyUI is simulated is said before the first picture, and titles stand from the start', async () => {
    const { page, axe, close } = await shown.visit();
    await page.getByText('ComfyUI is simulated here').waitFor();
    const options = await page.getByLabel('Workflow').locator('option').allInnerTexts();
    expect(options).toEqual(
      expect.arrayContaining(['FLUX.2 Turbo', 'FLUX.2 Turbo, following an image', 'Inpaint']),
    );
    expect(await axe()).toEqual([]);
    await close();
  });

  test('a job that is deleted in the gallery leaves the list, and so does one that is deleted elsewhere', async () => {
    const visit = await shown.visit();
    const { page, close } = visit;
    await make(visit, 'soon gone');
    const card = page.getByRole('article', { name: 'soon gone' });
    await card.getByText('Done').waitFor();
    await page.getByRole('link', { name: 'Gallery' }).click();
    await page.getByRole('link', { name: /soon gone/ }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await page
      .getByRole('dialog', { name: 'Delete this job?' })
      .getByRole('button', { name: 'Delete' })
      .click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.getByRole('link', { name: 'Make' }).click();
    await page.getByText('What you queue appears here.').waitFor();
    expect(await card.count()).toBe(0);

    const accepted = page.waitForResponse((response) => response.url().endsWith('/api/generate'));
    await make(visit, 'gone elsewhere');
    const other = page.getByRole('article', { name: 'gone elsewhere' });
    await other.getByText('Done').waitFor();
    const { job_id: id } = (await (await accepted).json()) as { job_id: string };
    expect((await fetch(`${shown.url}api/history/${id}`, { method: 'DELETE' })).status).toBe(200);
    await page.reload();
    await page.getByText('What you queue appears here.').waitFor();
    expect(await page.getByText('Not accepted').count()).toBe(0);
    await close();
  });

  test('a kept seed counts up for each further job, and Reset lets it go', async () => {
    const visit = await shown.visit();
    const { page, close } = visit;
    const seed = page.getByLabel('Seed', { exact: true });
    await seed.fill('18446744073709551615');
    await page.getByLabel('How many').fill('3');
    const sent: string[] = [];
    page.on('request', (request) => {
      if (request.url().endsWith('/api/generate'))
        sent.push(String((request.postDataJSON() as { seed?: string }).seed));
    });
    await make(visit, 'three of them');
    await expect
      .poll(() => sent.toSorted((a, b) => a.localeCompare(b)))
      .toEqual(['0', '1', '18446744073709551615']);
    await page.getByRole('button', { name: 'Reset' }).click();
    await page.getByRole('button', { name: 'Keep the seed' }).waitFor();
    expect(await seed.inputValue()).toBe('');
    expect(await page.getByLabel('How many').inputValue()).toBe('3');
    await close();
  });

  test('on a phone what was queued comes into view, and it is said', async () => {
    const visit = await shown.visit({
      viewport: { width: 390, height: 844 },
      hasTouch: true,
      isMobile: true,
      reducedMotion: 'reduce',
    });
    const { page, axe, close } = visit;
    await make(visit, 'on a phone');
    await page.getByText('Queued', { exact: true }).waitFor();
    const card = page.getByRole('article', { name: 'on a phone' });
    await card.waitFor();
    await expect.poll(async () => (await card.boundingBox())!.y).toBeLessThan(700);
    expect((await card.boundingBox())!.y).toBeGreaterThan(
      (await page.locator('.top').boundingBox())!.height - 1,
    );
    expect(await page.getByText('Ctrl + Enter').isVisible()).toBe(false);
    expect(await axe()).toEqual([]);
    await close();
  });

  test('to edit again fills the form, says so and goes there', async () => {
    const visit = await shown.visit({ viewport: { width: 390, height: 844 } });
    const { page, close } = visit;
    await make(visit, 'to be edited');
    const card = page.getByRole('article', { name: 'to be edited' });
    await card.getByRole('button', { name: 'Edit again' }).click();
    await page.getByText('The form has what this job was made of').waitFor();
    await expect.poll(() => isFocused(page.getByLabel('Prompt', { exact: true }))).toBe(true);
    expect(await page.getByRole('article').count()).toBe(1);
    await close();
  });

  test('a preset stays chosen while the form has its values, and what it set is said', async () => {
    const { page, close } = await shown.visit();
    const preset = page.getByLabel('Preset');
    await preset.selectOption('turbo');
    await page.getByText(/^Steps 8/).waitFor();
    expect(await preset.inputValue()).toBe('turbo');
    await page.getByText(/More settings/).click();
    await page.getByRole('textbox', { name: 'Steps' }).fill('9');
    await expect.poll(() => preset.inputValue()).toBe('');
    await close();
  });

  test('what is used as an input keeps the prompt and how many', async () => {
    const visit = await shown.visit();
    const { page, close } = visit;
    await make(visit, 'a base');
    await page.getByLabel('How many').fill('2');
    await page.getByRole('article', { name: 'a base' }).getByRole('button', { name: 'Use as input' }).click();
    await page.getByText('It is an input of').waitFor();
    await page.getByAltText('The chosen image').waitFor();
    expect(await page.getByLabel('Prompt', { exact: true }).inputValue()).toBe('a base');
    expect(await page.getByLabel('How many').inputValue()).toBe('2');
    await close();
  });

  test('a mask is offered where it is used; painted again, it starts from before on the whole picture', async () => {
    const { page, axe, close } = await shown.visit();
    const paint = page.getByRole('button', { name: 'Paint a mask' });
    const choose = async () => {
      const png = new PNG({ width: 300, height: 200, fill: true });
      png.data.fill(200);
      await page.locator('input[type=file]').setInputFiles({
        name: 'base.png',
        mimeType: 'image/png',
        buffer: PNG.sync.write(png),
      });
      await page.getByAltText('The chosen image').waitFor();
    };
    await page.getByLabel('Workflow').selectOption('flux2_turbo_controlnet');
    await page.getByLabel('Image', { exact: true }).waitFor({ state: 'attached' });
    await choose();
    expect(await paint.count()).toBe(0);
    await page.getByLabel('Workflow').selectOption('inpaint');
    await page.getByAltText('The chosen image').waitFor({ state: 'detached' });
    await choose();
    await paint.click();
    const canvas = page.getByRole('img', { name: 'The image to paint on' });
    await expect.poll(() => property(canvas, 'width')).toBe(300);
    await canvas.focus();
    await page.keyboard.press('Space');
    const uploaded = page.waitForResponse((response) => response.url().endsWith('/api/upload/image'));
    await page.getByRole('button', { name: 'Use the mask' }).click();
    await uploaded;
    await page.getByText('Uploading').waitFor({ state: 'detached' });
    await paint.click();
    await expect.poll(() => property(canvas, 'width')).toBe(300);
    const alphaAt = (x: number, y: number) =>
      page.evaluate(
        `document.querySelector('dialog canvas').getContext('2d').getImageData(${x}, ${y}, 1, 1).data[3]`,
      );
    await expect.poll(() => alphaAt(150, 100)).toBe(255);
    expect(await alphaAt(1, 1)).toBe(0);
    expect(await axe()).toEqual([]);
    await close();
  });

  test.each(['en-GB', 'de-DE'])('at 1280 pixels nothing of the form’s end wraps: %s', async (locale) => {
    const { page, close } = await shown.visit({ locale, viewport: { width: 1280, height: 900 } });
    const bar = page.locator('.send');
    await bar.waitFor();
    expect((await bar.boundingBox())!.height).toBeLessThan(64);
    await close();
  });

  test.each(['en-GB', 'de-DE'])('on a phone the header is one row: %s', async (locale) => {
    const { page, close } = await shown.visit({ locale, viewport: { width: 390, height: 844 } });
    const header = page.locator('.top');
    await page.locator('.send').waitFor();
    expect((await header.boundingBox())!.height).toBeLessThan(68);
    await close();
  });
});
