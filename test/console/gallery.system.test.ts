// The gallery, as a person uses it, in a real Chromium: also with 10,000 jobs in the table.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadTemplates } from '../../functions/runtime/workflows.ts';
import { openEmbedded } from '../../functions/store/embedded/engine.ts';
import { type PutJob, putJobs } from '../api/support.ts';
import { type Console, hasChromium, openConsole, property } from './console.ts';

const MANY = 10_000;

describe.skipIf(!hasChromium)('Gallery', () => {
  let shown: Console;
  beforeAll(async () => {
    shown = await openConsole();
  });
  afterAll(() => shown?.close());

  /** Made by the API; its id when it has ended. */
  async function made(body: Record<string, unknown>): Promise<string> {
    const accepted = await fetch(`${shown.url}api/generate`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ width: 256, height: 256, steps: 1, ...body }),
    });
    const { job_id: id } = (await accepted.json()) as { job_id: string };
    await expect
      .poll(async () => {
        const status = await fetch(`${shown.url}api/status/${id}?wait=10`);
        return ((await status.json()) as { status: string }).status;
      })
      .toBe('completed');
    return id;
  }

  const gallery = (options: Parameters<Console['visit']>[0] = {}) =>
    shown.visit({ at: '#/gallery', ...options });

  test('shows what was made with its thumbnail, finds it by words and labels, and has all that is known of it', async () => {
    await made({ prompt: 'a red fox', metadata: { project: 'spring' } });
    const id = await made({ prompt: 'a lighthouse <b>', metadata: { project: 'autumn' } });
    const { page, close } = await gallery();
    const tiles = page.getByRole('list', { name: 'Jobs, newest first' }).getByRole('link');
    await expect.poll(() => tiles.count()).toBe(2);
    expect(await tiles.first().innerText()).toContain('a lighthouse <b>');
    const picture = tiles.first().locator('img');
    await expect.poll(() => property(picture, 'naturalWidth')).toBeGreaterThan(100);
    await page.getByLabel('Words of the prompt').fill('FOX red');
    await expect.poll(() => tiles.allInnerTexts()).toEqual([expect.stringContaining('a red fox')]);
    await page.getByRole('button', { name: 'Show all' }).click();
    await page.getByLabel('Label, as name:value').fill('project:autumn');
    await expect.poll(() => tiles.allInnerTexts()).toEqual([expect.stringContaining('a lighthouse <b>')]);
    await page.getByLabel('State').selectOption('failed');
    await page.getByText('Nothing matches.').waitFor();
    await page.getByLabel('State').selectOption('completed');
    await tiles.first().click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText(id).waitFor();
    expect(page.url()).toContain(id);
    for (const fact of ['autumn', '256', 'FLUX.2 Turbo', 'Attempts', 'Guidance'])
      await expect.poll(() => dialog.innerText()).toContain(fact);
    const image = page.waitForEvent('download');
    await dialog.getByRole('link', { name: 'Download' }).click();
    expect((await image).suggestedFilename()).toMatch(/\.png$/);
    const saved = page.waitForEvent('download');
    await dialog.getByRole('button', { name: 'ComfyUI graph (.json)' }).click();
    expect((await saved).suggestedFilename()).toBe(`flux2_turbo_default-${id.slice(0, 8)}.json`);
    await close();
  });

  test('what is searched for stands in the address: reload, the way back and a shared link keep it', async () => {
    const { page, close } = await gallery();
    const tiles = page.getByRole('list', { name: 'Jobs, newest first' }).getByRole('link');
    const words = page.getByLabel('Words of the prompt');
    const state = page.getByLabel('State');
    const both = [expect.stringContaining('a lighthouse'), expect.stringContaining('a red fox')];
    const fox = [expect.stringContaining('a red fox')];
    await expect.poll(() => tiles.allInnerTexts()).toEqual(both);
    await words.pressSequentially('re', { delay: 400 });
    await words.pressSequentially('d & fox');
    await expect.poll(() => page.url()).toMatch(/#\/gallery\?search=red\+%26\+fox$/);
    await words.fill('red fox');
    await expect.poll(() => tiles.allInnerTexts()).toEqual(fox);
    await state.selectOption('completed');
    await expect.poll(() => page.url()).toMatch(/#\/gallery\?search=red\+fox&state=completed$/);
    // A job is looked at, and the search is there again.
    await tiles.first().click();
    await page.getByRole('dialog').getByText('Attempts').waitFor();
    expect(page.url()).toContain('search=red+fox');
    const link = page.url();
    await page.keyboard.press('Escape');
    await expect.poll(() => page.url()).toMatch(/#\/gallery\?search=red\+fox&state=completed$/);
    await page.reload();
    await expect.poll(() => tiles.allInnerTexts()).toEqual(fox);
    expect([await words.inputValue(), await state.inputValue()]).toEqual(['red fox', 'completed']);
    // Back over the dialog and the state to before the search: what was typed on the way is one step.
    await page.goBack();
    await page.getByRole('dialog').waitFor();
    await page.goBack();
    await page.goBack();
    await expect.poll(() => state.inputValue()).toBe('');
    expect(await words.inputValue()).toBe('red fox');
    await page.goBack();
    await expect.poll(() => tiles.allInnerTexts()).toEqual(both);
    expect(await words.inputValue()).toBe('');
    await page.goForward();
    await expect.poll(() => words.inputValue()).toBe('red fox');
    await close();
    const other = await shown.visit({ at: link.slice(shown.url.length), locale: 'de-DE' });
    await other.page.getByRole('dialog').getByText('a red fox').first().waitFor();
    await other.page.keyboard.press('Escape');
    await expect.poll(() => other.page.getByLabel('Im Prompt suchen').inputValue()).toBe('red fox');
    await other.close();
  });

  test('of an address only filters reach the API, and only what can be', async () => {
    const { page, close } = await shown.visit();
    const asked: string[] = [];
    page.on('request', (request) => request.url().includes('/api/jobs?') && asked.push(request.url()));
    const search = 'x'.repeat(201);
    await page.goto(`${shown.url}#/gallery?state=nonsense&search=${search}&limit=1&key=ck_0&workflow=gone`);
    await page.getByText('Nothing matches.').waitFor();
    expect(await page.getByLabel('State').inputValue()).toBe('');
    expect(await page.getByLabel('Workflow').inputValue()).toBe('gone');
    expect(asked.length).toBeGreaterThan(0);
    for (const one of asked) expect(one).not.toMatch(/limit=1(&|$)|key=|state=|search=/);
    await page.getByRole('button', { name: 'Show all' }).click();
    await page.getByRole('link', { name: /a red fox/ }).waitFor();
    await expect.poll(() => page.url()).toMatch(/#\/gallery$/);
    await close();
  });

  test('a job that comes is shown; where it would push away what is looked at it waits', async () => {
    const { page, close } = await gallery({ viewport: { width: 500, height: 300 } });
    const tiles = page.getByRole('list', { name: 'Jobs, newest first' }).getByRole('link');
    await tiles.first().waitFor();
    await made({ prompt: 'it came by itself' });
    await expect.poll(() => tiles.first().innerText()).toContain('it came by itself');
    await page.evaluate('scrollTo(0, 120)');
    await made({ prompt: 'it waits' });
    const more = page.getByRole('button', { name: '1 new' });
    await more.waitFor();
    expect(await tiles.first().innerText()).toContain('it came by itself');
    await more.click();
    await expect.poll(() => tiles.first().innerText()).toContain('it waits');
    expect(await page.evaluate('scrollY')).toBe(0);
    await more.waitFor({ state: 'detached' });
    await close();
  });

  test('a label that is none is wrong at its field alone', async () => {
    const { page, close } = await gallery({ at: '#/gallery?label=spring' });
    const label = page.getByLabel('Label, as name:value');
    await page.getByRole('alert').getByText('Written as name:value').waitFor();
    expect(await label.getAttribute('aria-invalid')).toBe('true');
    expect(await page.getByRole('button', { name: 'Try again' }).count()).toBe(0);
    await label.fill('project:spring');
    await page.getByRole('link', { name: /a red fox/ }).waitFor();
    expect(await page.getByRole('alert').count()).toBe(0);
    await close();
  });

  test('arrows and buttons turn from a job to its neighbours', async () => {
    const { page, close } = await gallery();
    const tiles = page.getByRole('list', { name: 'Jobs, newest first' }).getByRole('link');
    await tiles.first().waitFor();
    const [first, second] = (await tiles.allInnerTexts()).map((text) => text.trim().split('\n')[0]!);
    const dialog = page.getByRole('dialog');
    await tiles.first().click();
    await dialog.getByRole('heading', { name: first! }).waitFor();
    await page.keyboard.press('ArrowRight');
    await dialog.getByRole('heading', { name: second! }).waitFor();
    await dialog.getByRole('button', { name: 'Newer' }).click();
    await dialog.getByRole('heading', { name: first! }).waitFor();
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    await close();
  });

  test('leads back to the form, and deletes after a question', async () => {
    await made({ prompt: 'not for long' });
    const { page, close } = await gallery();
    const tile = page.getByRole('link', { name: /not for long/ });
    await tile.click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('button', { name: 'Edit again' }).click();
    await expect.poll(() => page.getByLabel('Prompt', { exact: true }).inputValue()).toBe('not for long');
    await page.goBack();
    await dialog.getByRole('button', { name: 'Delete' }).click();
    const question = page.getByRole('dialog', { name: 'Delete this job?' });
    await question.getByRole('button', { name: 'Back' }).click();
    await dialog.getByRole('button', { name: 'Delete' }).click();
    await question.getByRole('button', { name: 'Delete' }).click();
    await tile.waitFor({ state: 'detached' });
    await page.getByRole('link', { name: /a red fox/ }).waitFor();
    await close();
  });

  test.each(['light', 'dark'] as const)('axe finds nothing: %s', async (colorScheme) => {
    const { page, axe, close } = await gallery({ colorScheme });
    await page.getByRole('link', { name: /a red fox/ }).waitFor();
    expect(await axe()).toEqual([]);
    await page.getByRole('link', { name: /a red fox/ }).click();
    await page.getByRole('dialog').getByText('Attempts').waitFor();
    expect(await axe()).toEqual([]);
    await close();
  });

  test.each([360, 3840])('nothing is cut off at %i pixels', async (width) => {
    const { page, close } = await gallery({ viewport: { width, height: 800 }, locale: 'de-DE' });
    await page.getByRole('link', { name: /a red fox/ }).waitFor();
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
    await page.getByLabel('Im Prompt suchen').waitFor();
    await close();
  });

  test('10,000 jobs: a tile for what is seen alone, to the last of them', async () => {
    await shown.kill();
    const engine = openEmbedded({ directory: shown.workspace });
    const start = Date.now() - 1e7;
    const jobs = Array.from({ length: MANY }, (_, at): PutJob => ({
      createdAt: start + at,
      status: 'cancelled',
      request: { inputs: { prompt: `number ${at}`, seed: at }, metadata: { many: 'yes' } },
    }));
    const rig = { store: { engine, now: Date.now }, templates: await loadTemplates() };
    await putJobs(rig as unknown as Parameters<typeof putJobs>[0], jobs);
    await engine.close();
    await shown.start();
    const { page, close } = await gallery();
    await page.getByRole('link', { name: /number 9999/ }).waitFor();
    expect(
      (await page.getByRole('link', { name: /number 9999/ }).innerText()).match(/Cancelled/g),
    ).toHaveLength(1);
    await page.evaluate(`
      window.longest = 0;
      const look = (before) => requestAnimationFrame((now) => {
        window.longest = Math.max(window.longest, now - before);
        look(now);
      });
      requestAnimationFrame(look);
    `);
    const since = performance.now();
    await expect
      .poll(
        async () => {
          await page.evaluate('scrollTo(0, document.documentElement.scrollHeight)');
          expect(await page.getByRole('listitem').count()).toBeLessThan(150);
          return page.getByRole('link', { name: /number 0\b/ }).count();
        },
        { timeout: 200_000, interval: 20 },
      )
      .toBe(1);
    console.info(
      'ms to the last of 10,000',
      performance.now() - since,
      await page.evaluate('window.longest'),
    );
    await close();
  }, 300_000);

  test('of more jobs at once than a page those that run first are seen to end', async () => {
    const accept = (at: number) =>
      fetch(`${shown.url}api/generate`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ prompt: `crowd ${at}`, width: 256, height: 256, steps: 40 }),
      });
    for (let at = 0; at < 20; at += 1) await accept(at);
    await Promise.all(Array.from({ length: 100 }, (_, at) => accept(at + 20)));
    const { page, close } = await gallery({ at: '#/gallery?search=crowd' });
    const one = page.getByRole('link', { name: /crowd 12\b/ });
    await expect
      .poll(async () => {
        await page.evaluate('scrollTo(0, document.documentElement.scrollHeight)');
        return one.count();
      })
      .toBe(1);
    await one.getByText('Done').waitFor();
    await page.evaluate('scrollTo(0, 0)');
    await page
      .getByRole('link', { name: /Waiting/ })
      .first()
      .waitFor();
    await fetch(`${shown.url}api/queue/clear`, { method: 'POST' });
    await close();
  });
});

describe.skipIf(!hasChromium)('Gallery, with keys', () => {
  let shown: Console;
  beforeAll(async () => {
    shown = await openConsole({ API_KEYS: 'required' });
  });
  afterAll(() => shown?.close());

  test('an operator looks at the jobs of an owner', async () => {
    const erin = await shown.key('erin');
    const operator = await shown.key('olga', 'read,admin');
    const accepted = await fetch(`${shown.url}api/generate`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${erin}` },
      body: JSON.stringify({ prompt: 'of erin', width: 256, height: 256, steps: 1 }),
    });
    expect(accepted.status).toBeLessThan(300);
    const { page, close } = await shown.visit({ at: '#/gallery' });
    await page.getByLabel('Key', { exact: true }).fill(operator);
    await page.keyboard.press('Enter');
    await page.getByText('There is nothing here yet.').waitFor();
    await page.getByLabel('Owner').fill('erin');
    const tile = page.getByRole('link', { name: /of erin/ });
    await expect.poll(() => property(tile.locator('img'), 'naturalWidth')).toBeGreaterThan(100);
    await tile.click();
    await page.getByRole('dialog').getByRole('link', { name: 'Download' }).waitFor();
    await close();
  });
});
