// The page Make, as a person uses it, in a real Chromium.

import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PNG } from 'pngjs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Console, hasChromium, isFocused, openConsole, property, type Visit } from './console.ts';

describe.skipIf(!hasChromium)('Make', () => {
  let shown: Console;
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'workflows-'));
    await cp('workflows', folder, { recursive: true });
    await addInpaint();
    await addMask();
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

  /** With a mask of its own beside the image. */
  async function addMask(): Promise<void> {
    const graph = {
      '1': { class_type: 'LoadImage', inputs: { image: '' } },
      '2': { class_type: 'LoadImageMask', inputs: { image: '', channel: 'red' } },
      '3': { class_type: 'MaskToImage', inputs: { mask: ['2', 0] } },
      '4': { class_type: 'SaveImage', inputs: { images: ['3', 0], filename_prefix: 'x' } },
    };
    const inputs = {
      image: { type: 'image', to: '1.image', title: 'Image', required: true },
      mask: { type: 'image', to: '2.image', title: 'Mask', required: true },
    };
    await writeFile(join(folder, 'masked.json'), JSON.stringify(graph));
    await writeFile(join(folder, 'masked.inputs.json'), JSON.stringify({ title: 'Masked', inputs }));
  }

  const small = { width: '256', height: '256' };

  async function fill(page: Visit['page'], prompt: string, values = small) {
    await page.getByLabel('Prompt', { exact: true }).fill(prompt);
    await page.getByRole('textbox', { name: 'Width' }).fill(values.width);
    await page.getByRole('textbox', { name: 'Height' }).fill(values.height);
  }

  /** Grows with each job that the page sends. */
  function generatesOf(page: Visit['page']): string[] {
    const sent: string[] = [];
    page.on('request', (request) => request.url().endsWith('/api/generate') && sent.push(request.url()));
    return sent;
  }

  async function uploadsOf(): Promise<number> {
    const { uploads } = (await (await fetch(`${shown.url}api/uploads`)).json()) as { uploads: unknown[] };
    return uploads.length;
  }

  test('a newcomer gets an image, full size, and the same again', async () => {
    const { page, close } = await shown.visit();
    await fill(page, 'a red fox');
    await page.keyboard.press('Control+Enter');
    const card = page.getByRole('article', { name: 'a red fox' });
    await card.getByText('Done').waitFor();
    const seed = /seed (\d+)/.exec(await card.innerText())![1]!;
    await card.getByRole('button', { name: /at full size/ }).click();
    const image = page.getByRole('dialog').locator('img');
    await expect.poll(() => property(image, 'naturalWidth')).toBe(256);
    await page.keyboard.press('Escape');
    await card.getByRole('button', { name: 'Edit again' }).click();
    expect(await page.getByLabel('Seed', { exact: true }).inputValue()).toBe(seed);
    await card.getByRole('button', { name: 'Vary the seed' }).click();
    await expect.poll(() => page.getByText('Done').count()).toBe(2);
    await close();
  });

  test('several at once are as many jobs, each with its own seed', async () => {
    const { page, close } = await shown.visit();
    await fill(page, 'five boats');
    await page.getByLabel('How many').fill('5');
    await page.getByRole('button', { name: 'Queue' }).click();
    const cards = page.getByRole('article', { name: 'five boats' });
    await expect.poll(() => cards.getByText('Done').count()).toBe(5);
    const seeds = (await cards.allInnerTexts()).map((text) => /seed (\d+)/.exec(text)![1]);
    expect(new Set(seeds).size).toBe(5);
    await close();
  });

  test('errors stand at their field, and go when it is right', async () => {
    const { page, close } = await shown.visit();
    await page.getByRole('button', { name: 'Queue' }).click();
    const prompt = page.getByLabel('Prompt', { exact: true });
    await expect.poll(() => prompt.getAttribute('aria-invalid')).toBe('true');
    await expect.poll(() => isFocused(prompt)).toBe(true);
    await fill(page, 'a red fox', { width: '257', height: '4096' });
    await page.keyboard.press('Control+Enter');
    await page.getByText('This must be a multiple of 16').waitFor();
    await page.getByText('This must be from 256 to 2048').waitFor();
    await page.getByRole('textbox', { name: 'Width' }).fill('256');
    expect(await page.getByText('This must be a multiple of 16').count()).toBe(0);
    await close();
  });

  test('what the form held is there after a reload, and so is a job that was under way', async () => {
    const { page, close } = await shown.visit();
    await fill(page, 'a long one');
    await page.getByText(/More settings/).click();
    await page.getByRole('textbox', { name: 'Steps' }).fill('50');
    await page.keyboard.press('Control+Enter');
    await page.getByRole('article', { name: 'a long one' }).getByText('Running').waitFor();
    await page.reload();
    expect(await page.getByLabel('Prompt', { exact: true }).inputValue()).toBe('a long one');
    await page.getByRole('article', { name: 'a long one' }).getByText('Done').waitFor();
    await close();
  });

  test('the unfinished image is shown while it is made, in the place of the image', async () => {
    const { page, close } = await shown.visit();
    await fill(page, 'not ready yet');
    await page.getByText(/More settings/).click();
    await page.getByRole('textbox', { name: 'Steps' }).fill('50');
    await page.keyboard.press('Control+Enter');
    const card = page.getByRole('article', { name: 'not ready yet' });
    const heightOf = async () => (await card.locator('.picture').first().boundingBox())!.height;
    const unfinished = card.getByRole('img', { name: 'Unfinished image' });
    await unfinished.waitFor();
    const before = await heightOf();
    await card.getByText('Done').waitFor();
    expect(await unfinished.count()).toBe(0);
    await expect.poll(() => property(card.locator('img'), 'naturalWidth')).toBe(256);
    expect(await heightOf()).toBeCloseTo(before, 0);
    await close();
  });

  test('a job is cancelled', async () => {
    const { page, close } = await shown.visit();
    await fill(page, 'not this one');
    await page.getByText(/More settings/).click();
    await page.getByRole('textbox', { name: 'Steps' }).fill('50');
    await page.keyboard.press('Control+Enter');
    const card = page.getByRole('article', { name: 'not this one' });
    await card.getByRole('button', { name: 'Cancel' }).click();
    await card.getByText('Cancelled').waitFor();
    expect(await card.getByRole('img').count()).toBe(0);
    await close();
  });

  test('the server is killed and comes back: the page says so, and the job ends', async () => {
    const { page, close } = await shown.visit();
    const before = await ended();
    await fill(page, 'through a crash');
    await page.getByText(/More settings/).click();
    await page.getByRole('textbox', { name: 'Steps' }).fill('50');
    await page.keyboard.press('Control+Enter');
    const card = page.getByRole('article', { name: 'through a crash' });
    await card.getByText('Running').waitFor();
    await shown.kill();
    const banner = page.getByText('The API does not answer');
    await banner.waitFor();
    // Sent while it is away: accepted once, when it is back.
    await fill(page, 'sent into the dark');
    await page.keyboard.press('Control+Enter');
    await shown.start();
    await banner.waitFor({ state: 'detached' });
    await card.getByText('Done').waitFor();
    await page.getByRole('article', { name: 'sent into the dark' }).getByText('Done').waitFor();
    expect(await ended()).toBe(before + 2);
    await close();
  });

  test('an image is given by a file, a mask is painted on it, and both reach the job', async () => {
    const { page, close } = await shown.visit();
    await page.getByLabel('Workflow').selectOption('inpaint');
    // Until it is there, the form before is looked at alone.
    await page.locator('form:not([inert]) input[type=file]').waitFor({ state: 'attached' });
    await fill(page, 'edges');
    const png = new PNG({ width: 300, height: 200, fill: true });
    png.data.fill(200);
    await page.locator('input[type=file]').setInputFiles({
      name: 'edges.png',
      mimeType: 'image/png',
      buffer: PNG.sync.write(png),
    });
    await page.getByAltText('The chosen image').waitFor();
    await page.getByRole('button', { name: 'Paint a mask' }).click();
    const canvas = page.getByRole('img', { name: 'The image to paint on' });
    await expect.poll(() => property(canvas, 'width')).toBe(300);
    await canvas.focus();
    await page.keyboard.press('Space');
    await page.getByRole('button', { name: 'Use the mask' }).click();
    const sent = page.waitForRequest((request) => request.url().endsWith('/api/generate'));
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    // Both are there, and the page knows.
    await expect.poll(uploadsOf).toBe(2);
    await page.getByText('Uploading').waitFor({ state: 'detached' });
    await page.getByLabel('Prompt', { exact: true }).focus();
    await page.keyboard.press('Control+Enter');
    const { image } = (await sent).postDataJSON() as { image: string };
    await page.getByRole('article', { name: 'edges' }).getByText('Done').waitFor();
    // What was uploaded last: the colours under the mask are those of the image, and only their alpha is 0.
    const stored = await readFile(await pathOfUpload(image));
    const { data, width, height } = PNG.sync.read(stored);
    expect([width, height]).toEqual([300, 200]);
    const middle = (100 * 300 + 150) * 4;
    expect([...data.subarray(middle, middle + 4)]).toEqual([200, 200, 200, 0]);
    expect([...data.subarray(0, 4)]).toEqual([200, 200, 200, 200]);
    await close();
  });

  test('a mask on a large image is painted, undone and cleared in small', async () => {
    const { page, close } = await shown.visit();
    await page.getByLabel('Workflow').selectOption('inpaint');
    // Until it is there, the form before is looked at alone.
    await page.locator('form:not([inert]) input[type=file]').waitFor({ state: 'attached' });
    await fill(page, 'large');
    const buffer = PNG.sync.write(new PNG({ width: 3000, height: 1500, fill: true }), { colorType: 2 });
    const file = page.locator('input[type=file]');
    const chosen = page.waitForResponse((response) => response.url().endsWith('/api/upload/image'));
    await file.setInputFiles({ name: 'large.png', mimeType: 'image/png', buffer });
    await chosen;
    await page.getByAltText('The chosen image').waitFor();
    await page.getByRole('button', { name: 'Paint a mask' }).click();
    const canvas = page.getByRole('img', { name: 'The image to paint on' });
    await expect.poll(() => property(canvas, 'width')).toBe(1024);
    expect(await property(canvas, 'height')).toBe(512);
    const alphaAt = (x: number, y: number) =>
      page.evaluate(
        `document.querySelector('dialog canvas').getContext('2d').getImageData(${x}, ${y}, 1, 1).data[3]`,
      );
    const { x, y, width, height } = (await canvas.boundingBox())!;
    const stroke = async (from: number, to: number) => {
      await page.mouse.move(x + width * from, y + height / 4);
      await page.mouse.down();
      await page.mouse.move(x + width * to, y + height / 4, { steps: 5 });
      await page.mouse.up();
    };
    await stroke(0.1, 0.4);
    await stroke(0.6, 0.9);
    const [left, right] = [() => alphaAt(256, 128), () => alphaAt(768, 128)];
    expect([await left(), await right()]).toEqual([255, 255]);
    const undo = page.getByRole('button', { name: 'Undo' });
    await undo.click();
    await expect.poll(right).toBe(0);
    expect(await left()).toBe(255);
    await page.getByRole('button', { name: 'Clear' }).click();
    await expect.poll(left).toBe(0);
    await undo.click();
    await expect.poll(left).toBe(255);
    await page.getByLabel('Erase').check();
    await stroke(0.1, 0.2);
    await expect.poll(() => alphaAt(154, 128)).toBe(0);
    const uploaded = page.waitForResponse((response) => response.url().endsWith('/api/upload/image'));
    await page.getByRole('button', { name: 'Use the mask' }).click();
    expect((await uploaded).status()).toBe(200);
    await close();
  });

  async function ended(): Promise<number> {
    const history = await fetch(`${shown.url}api/history?limit=1`);
    return ((await history.json()) as { total_items: number }).total_items;
  }

  async function pathOfUpload(name: string): Promise<string> {
    const files = await readdir(shown.workspace, { recursive: true });
    return join(
      shown.workspace,
      files.find((file) => file.endsWith(name))!,
    );
  }

  test('a mask is painted on the file itself, and by its dialog alone', async () => {
    const { page, close } = await shown.visit();
    const sent = generatesOf(page);
    await page.getByLabel('Workflow').selectOption('inpaint');
    // Until it is there, the form before is looked at alone.
    await page.locator('form:not([inert]) input[type=file]').waitFor({ state: 'attached' });
    await fill(page, 'only painted');
    const buffer = PNG.sync.write(new PNG({ width: 640, height: 400, fill: true }));
    const choose = () =>
      page.locator('input[type=file]').setInputFiles({ name: 'wide.png', mimeType: 'image/png', buffer });
    await choose();
    const paint = page.getByRole('button', { name: 'Paint a mask' });
    await paint.click();
    await page.getByRole('dialog').getByRole('slider').press('Enter');
    await page.getByLabel('Erase').press('Enter');
    await page.getByLabel('Erase').press('Control+Enter');
    // A stroke that begins on the heading and ends outside leaves it open.
    const heading = (await page.getByRole('dialog').getByRole('heading').boundingBox())!;
    await page.mouse.move(heading.x + 5, heading.y + 5);
    await page.mouse.down();
    await page.mouse.move(2, 2);
    await page.mouse.up();
    expect(await page.getByRole('dialog').count()).toBe(1);
    await page.mouse.click(2, 2);
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    // Of what was uploaded before a reload only the small picture is here.
    await page.reload();
    await page.getByText('choose the file again').waitFor();
    expect(await paint.count()).toBe(0);
    await choose();
    await paint.click();
    const canvas = page.getByRole('img', { name: 'The image to paint on' });
    await expect.poll(() => property(canvas, 'width')).toBe(640);
    expect(sent).toEqual([]);
    await close();
  });

  test('a mask that was painted on another image is said to be so', async () => {
    const { page, close } = await shown.visit();
    await page.getByLabel('Workflow').selectOption('masked');
    const choose = async (side: number) => {
      const buffer = PNG.sync.write(new PNG({ width: side, height: side, fill: true }));
      const sent = page.waitForResponse((response) => response.url().endsWith('/api/upload/image'));
      await page
        .locator('input[name=image]')
        .setInputFiles({ name: 'one.png', mimeType: 'image/png', buffer });
      await sent;
    };
    const other = page.getByText('painted on another image');
    await choose(64);
    const field = page.locator('.field').filter({ has: page.locator('input[name=mask]') });
    await field.getByRole('button', { name: 'Paint a mask' }).click();
    await page.getByRole('img', { name: 'The image to paint on' }).press('Space');
    await page.getByRole('button', { name: 'Use the mask' }).click();
    await field.getByAltText('The chosen image').waitFor();
    expect(await other.count()).toBe(0);
    await choose(32);
    await other.waitFor();
    await choose(64);
    await other.waitFor({ state: 'detached' });
    await close();
  });

  test('a key that is held down sends once', async () => {
    const { page, close } = await shown.visit();
    const sent = generatesOf(page);
    await fill(page, 'held down');
    await page.keyboard.down('Control');
    for (let times = 0; times < 5; times += 1) await page.keyboard.down('Enter');
    await page.keyboard.up('Enter');
    await page.keyboard.up('Control');
    await page.getByRole('article', { name: 'held down' }).getByText('Done').waitFor();
    expect(sent).toHaveLength(1);
    await close();
  });

  test('a prompt is never markup, and nothing secret stands in the address', async () => {
    const { page, close } = await shown.visit();
    const prompt = '<img src=x onerror="document.title=1"><script>document.title=2</script>';
    await fill(page, prompt);
    await page.keyboard.press('Control+Enter');
    await page.getByRole('article', { name: prompt }).getByText('Done').waitFor();
    expect(await page.title()).toMatch(/^Make/);
    expect(page.url()).toBe(shown.url);
    await close();
  });

  test.each(['light', 'dark'] as const)('axe finds nothing: %s', async (colorScheme) => {
    const { page, axe, close } = await shown.visit({ colorScheme });
    await fill(page, 'a red fox');
    await page.getByText(/More settings/).click();
    await page.keyboard.press('Control+Enter');
    await page.getByRole('textbox', { name: 'Width' }).fill('1');
    await page.getByRole('button', { name: 'Queue' }).click();
    await page.getByRole('article', { name: 'a red fox' }).getByText('Done').waitFor();
    expect(await axe()).toEqual([]);
    await page
      .getByRole('button', { name: /at full size/ })
      .first()
      .click();
    expect(await axe()).toEqual([]);
    await close();
  });

  test.each([360, 768, 1400, 3840])('nothing is cut off at %i pixels', async (width) => {
    const { page, close } = await shown.visit({ viewport: { width, height: 800 } });
    await fill(page, 'a red fox');
    await page.keyboard.press('Control+Enter');
    await page.getByRole('article', { name: 'a red fox' }).getByText('Done').waitFor();
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
    await close();
  });

  test('German, and a language that is chosen lasts', async () => {
    const { page, close } = await shown.visit({ locale: 'de-AT' });
    await page.getByRole('button', { name: 'Einreihen' }).waitFor();
    expect(await page.evaluate('document.documentElement.lang')).toBe('de');
    await page.getByLabel('Sprache').selectOption('en');
    await page.reload();
    await page.getByRole('button', { name: 'Queue' }).waitFor();
    await close();
  });
});

describe.skipIf(!hasChromium)('with keys', () => {
  let shown: Console;
  beforeAll(async () => {
    shown = await openConsole({ API_KEYS: 'required' });
  });
  afterAll(() => shown?.close());

  test('the page asks for a key, keeps it for the tab, and forgets it', async () => {
    const key = await shown.key('alice');
    const { page, axe, close } = await shown.visit();
    const field = page.getByLabel('Key', { exact: true });
    await field.fill('ck_0123456789abcdef_nothing');
    await page.getByRole('button', { name: 'Go on' }).click();
    await page.getByText('This key is not valid').waitFor();
    expect(await axe()).toEqual([]);
    await field.fill(key);
    await page.keyboard.press('Enter');
    await page.getByLabel('Prompt', { exact: true }).fill('with a key');
    await page.keyboard.press('Control+Enter');
    await page.getByRole('article', { name: 'with a key' }).getByText('Done').waitFor();
    await page.reload();
    await page.getByLabel('Prompt', { exact: true }).waitFor();
    expect(page.url()).not.toContain(key);
    expect(await page.evaluate('JSON.stringify(localStorage)')).not.toContain(key);
    await page.getByRole('button', { name: 'Forget the key' }).click();
    await field.waitFor();
    expect(await page.evaluate('JSON.stringify(sessionStorage)')).not.toContain(key);
    await close();
  });

  test('a key that is revoked while the page is open is asked for again', async () => {
    const key = await shown.key('bob');
    const { page, close } = await shown.visit();
    await page.getByLabel('Key', { exact: true }).fill(key);
    await page.getByLabel('Keep it on this device').check();
    await page.keyboard.press('Enter');
    await page.getByLabel('Prompt', { exact: true }).fill('no more');
    expect(await page.evaluate('JSON.stringify(localStorage)')).toContain(key);
    await shown.revoke(key);
    await expect
      .poll(async () => {
        await page.keyboard.press('Control+Enter');
        return page.getByLabel('Key', { exact: true }).isVisible();
      })
      .toBe(true);
    await close();
  });
});
