// How the page follows jobs, in a real Chromium: what samples shows it, over few connections.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Console, hasChromium, openConsole, type Visit } from './console.ts';

const AND_ONE_THAT_ENDS = 3;

type Page = Visit['page'];

describe.skipIf(!hasChromium)('following jobs', () => {
  let shown: Console;
  beforeAll(async () => {
    shown = await openConsole({ SIMULATED_STEP_MS: '80' });
  });
  afterAll(() => shown?.close());

  async function queue(page: Page, prompt: string, times: number) {
    await page.getByLabel('Prompt', { exact: true }).fill(prompt);
    await page.getByRole('textbox', { name: 'Width' }).fill('256');
    await page.getByRole('textbox', { name: 'Height' }).fill('256');
    await page.getByLabel('How many').fill(String(times));
    await page.getByRole('button', { name: 'Queue' }).click();
    return page.getByRole('article', { name: prompt });
  }

  /** Streams that are open now, and the most that ever were at once. */
  function streamsOf(page: Page) {
    const now = new Set<unknown>();
    const counted = { now: () => now.size, most: 0 };
    page.on('request', (request) => {
      if (!request.url().includes('/events?')) return;
      now.add(request);
      counted.most = Math.max(counted.most, now.size);
    });
    page.on('requestfinished', (request) => now.delete(request));
    page.on('requestfailed', (request) => now.delete(request));
    return counted;
  }

  /** Of each card, oldest first: the steps and the unfinished images that it has shown, however shortly. */
  async function watched(page: Page) {
    await page.evaluate(`{
      const seen = (globalThis.seen = []);
      const look = () =>
        [...document.querySelectorAll('article')].reverse().forEach((card, index) => {
          const one = (seen[index] ??= { steps: new Set(), previews: new Set() });
          const step = /step (\\d+) of/.exec(card.textContent)?.[1];
          if (card.dataset.state === 'processing' && step) one.steps.add(step);
          const image = card.querySelector('img[alt="Unfinished image"]');
          if (image) one.previews.add(image.src);
        });
      new MutationObserver(look).observe(document.body, {
        subtree: true, childList: true, attributes: true, characterData: true,
      });
    }`);
    return () =>
      page.evaluate<{ steps: number; previews: number }[]>(
        'seen.map(({ steps, previews }) => ({ steps: steps.size, previews: previews.size }))',
      );
  }

  test('of five that are queued at once each shows steps and unfinished images while it samples', async () => {
    const { page, close } = await shown.visit();
    const streams = streamsOf(page);
    const seen = await watched(page);
    const cards = await queue(page, 'five boats', 5);
    await expect.poll(() => cards.getByText('Done').count()).toBe(5);
    const all = await seen();
    expect(all).toHaveLength(5);
    for (const one of all) {
      // Of five or so, and two or three.
      expect(one.previews).toBeGreaterThanOrEqual(3);
      expect(one.steps).toBeGreaterThanOrEqual(2);
    }
    expect(streams.most).toBeLessThanOrEqual(AND_ONE_THAT_ENDS);
    await expect.poll(streams.now).toBe(0);
    await close();
  });

  test('a tab that is not looked at holds no stream, and its jobs end all the same', async () => {
    const { page, close } = await shown.visit();
    const streams = streamsOf(page);
    const look = (state: 'hidden' | 'visible') =>
      page.evaluate(`{
        Object.defineProperty(document, 'visibilityState', { value: '${state}', configurable: true });
        document.dispatchEvent(new Event('visibilitychange'));
      }`);
    const cards = await queue(page, 'unseen', 4);
    await expect.poll(streams.now).toBe(2);
    await look('hidden');
    await expect.poll(streams.now).toBe(0);
    await expect.poll(() => cards.getByText('Done').count()).toBeGreaterThanOrEqual(2);
    expect(streams.now()).toBe(0);
    await look('visible');
    await expect.poll(streams.now).toBeGreaterThan(0);
    await expect.poll(() => cards.getByText('Done').count()).toBe(4);
    await close();
  });

  test('many at once: each is heard of soon, also those far back', async () => {
    const { page, close } = await shown.visit();
    const streams = streamsOf(page);
    const cards = await queue(page, 'a crowd', 12);
    await expect.poll(() => cards.getByText(/place \d+/).count()).toBeGreaterThanOrEqual(9);
    await fetch(`${shown.url}api/queue/clear`, { method: 'POST' });
    await expect.poll(async () => (await cards.getByText(/Cancelled|Done/).count()) + streams.now()).toBe(12);
    expect(streams.most).toBeLessThanOrEqual(AND_ONE_THAT_ENDS);
    await close();
  });
});
