// Several windows of the console side by side, in a real Chromium: together they leave connections for calls. Pages of one context
// share the six that a browser opens to a server of HTTP/1.1.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Console, hasChromium, openConsole, type Visit } from './console.ts';

const SLOTS = 3;
const OF_ONE_WINDOW = 2;
/** Longer than all that a test does while a job samples. */
const STEPS = 50;
const STEP_MS = 2000;

type Page = Visit['page'];

describe.skipIf(!hasChromium)('windows side by side', () => {
  let shown: Console;
  let visit: Visit;
  beforeAll(async () => {
    shown = await openConsole({ SIMULATED_STEP_MS: String(STEP_MS) });
  });
  afterAll(() => shown?.close());

  async function queue(page: Page, prompt: string): Promise<void> {
    await page.getByLabel('Prompt', { exact: true }).fill(prompt);
    await page.getByText(/More settings/).click();
    await page.getByRole('textbox', { name: 'Steps' }).fill(String(STEPS));
    await page.getByLabel('How many').fill(String(OF_ONE_WINDOW));
    await page.getByRole('button', { name: 'Queue' }).click();
    const known = page.locator('article:is([data-state=queued], [data-state=processing])');
    await expect.poll(() => known.count()).toBe(OF_ONE_WINDOW);
  }
  const cardsOf = (page: Page) => page.getByRole('article');

  async function another(): Promise<Page> {
    const page = await visit.page.context().newPage();
    await page.goto(shown.url);
    return page;
  }

  /** Which windows have a stream now, one entry a stream. */
  function streamsOf(pages: Page[]): () => number[] {
    const now = new Map<unknown, number>();
    const context = visit.page.context();
    context.on('request', (request) => {
      if (request.url().includes('/events?')) now.set(request, pages.indexOf(request.frame().page()));
    });
    const ended = (request: unknown) => void now.delete(request);
    context.on('requestfinished', ended);
    context.on('requestfailed', ended);
    return () => [...now.values()].filter((at) => !pages[at]!.isClosed()).toSorted((a, b) => a - b);
  }

  async function clear(): Promise<void> {
    const { jobs } = (await (await fetch(`${shown.url}api/queue`)).json()) as { jobs: object };
    for (const id of Object.keys(jobs)) await fetch(`${shown.url}api/queue/${id}`, { method: 'DELETE' });
  }

  test('four with running jobs have three streams, all show how it goes, and calls are answered', async () => {
    visit = await shown.visit();
    const windows = [visit.page];
    const streams = streamsOf(windows);
    await queue(windows[0]!, 'window 0');
    for (let at = 1; at < 4; at += 1) {
      windows.push(await another());
      await queue(windows[at]!, `window ${at}`);
    }
    await expect.poll(streams).toEqual([0, 0, 1]);
    for (const page of windows) {
      await page.getByRole('link', { name: 'Gallery' }).click();
      const tiles = page.getByRole('list', { name: 'Jobs, newest first' }).getByRole('link');
      await expect.poll(() => tiles.count()).toBe(4 * OF_ONE_WINDOW);
      await page.getByRole('link', { name: 'Make' }).click();
    }
    // No job ended for it.
    expect(streams()).toEqual([0, 0, 1]);
    for (const page of windows) {
      await cardsOf(page)
        .getByText(/step \d+ of/)
        .waitFor();
      for (const left of [1, 0]) {
        await cardsOf(page).getByRole('button', { name: 'Cancel' }).first().click();
        await expect.poll(() => cardsOf(page).getByText('Cancelled').count()).toBe(OF_ONE_WINDOW - left);
      }
    }
    await visit.close();
  });

  test('a window that is closed leaves its slots to the next', async () => {
    visit = await shown.visit();
    const windows = [visit.page, await another(), await another()];
    const streams = streamsOf(windows);
    for (const [at, page] of windows.entries()) await queue(page, `window ${at}`);
    await expect.poll(streams).toEqual([0, 0, 1]);
    await windows[0]!.close();
    await expect.poll(streams).toHaveLength(SLOTS);
    expect(streams()).toContain(2);
    await visit.close();
    await clear();
  });

  test('where the browser has no locks, as on a page that came by plain http, each counts for itself', async () => {
    visit = await shown.visit();
    await visit.page
      .context()
      .addInitScript("Object.defineProperty(navigator, 'locks', { value: undefined })");
    const page = await another();
    const streams = streamsOf([page]);
    await queue(page, 'no locks');
    await expect.poll(streams).toHaveLength(OF_ONE_WINDOW);
    await cardsOf(page)
      .getByText(/step \d+ of/)
      .waitFor();
    await visit.close();
    await clear();
  });
});
