// What every page has: by keyboard alone, in two tabs, offline, on a theme and in a language that last.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Console, hasChromium, isFocused, openConsole } from './console.ts';

describe.skipIf(!hasChromium)('the frame of the console', () => {
  let shown: Console;
  beforeAll(async () => {
    shown = await openConsole();
  });
  afterAll(() => shown?.close());

  test('by keyboard alone: to the form, past the navigation, an image, its full size, and back', async () => {
    const { page, close } = await shown.visit();
    await page.getByLabel('Prompt', { exact: true }).waitFor();
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.textContent')).toBe('To the content');
    await page.keyboard.press('Enter');
    const isPrompt = () => page.evaluate<boolean>("document.activeElement.name === 'prompt'");
    for (let tabs = 0; tabs < 6 && !(await isPrompt()); tabs += 1) await page.keyboard.press('Tab');
    expect(await isPrompt()).toBe(true);
    await page.keyboard.type('by keyboard');
    await page.keyboard.press('Control+Enter');
    const card = page.getByRole('article', { name: 'by keyboard' });
    await card.getByText('Done').waitFor();
    const picture = card.getByRole('button', { name: /at full size/ });
    await picture.focus();
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    await expect.poll(() => isFocused(picture)).toBe(true);
    await close();
  });

  test('two tabs of a person share the form, and each follows its own jobs', async () => {
    const first = await shown.visit();
    const second = await first.page.context().newPage();
    await second.goto(shown.url);
    await first.page.getByLabel('Prompt', { exact: true }).fill('of the first tab');
    await expect
      .poll(() => second.getByLabel('Prompt', { exact: true }).inputValue())
      .toBe('of the first tab');
    await first.page.keyboard.press('Control+Enter');
    await second.getByLabel('Prompt', { exact: true }).fill('of the second tab');
    await second.keyboard.press('Control+Enter');
    await first.page.getByRole('article', { name: 'of the first tab' }).getByText('Done').waitFor();
    await second.getByRole('article', { name: 'of the second tab' }).getByText('Done').waitFor();
    expect(await second.getByRole('article').count()).toBe(1);
    await first.close();
  });

  test('offline it says so, and goes on by itself', async () => {
    const { page, close } = await shown.visit();
    await page.getByLabel('Prompt', { exact: true }).fill('offline');
    await page.context().setOffline(true);
    await page.keyboard.press('Control+Enter');
    const banner = page.getByText('The API does not answer');
    await banner.waitFor();
    await page.context().setOffline(false);
    await banner.waitFor({ state: 'detached' });
    await page.getByRole('article', { name: 'offline' }).getByText('Done').waitFor();
    await close();
  });

  test('a theme that is chosen lasts', async () => {
    const { page, close } = await shown.visit({ colorScheme: 'light' });
    const back = () => page.evaluate<string>('getComputedStyle(document.documentElement).backgroundColor');
    const light = await back();
    const theme = page.getByRole('button', { name: /^Theme/ });
    await theme.click();
    await theme.click();
    await expect.poll(back).not.toBe(light);
    const dark = await back();
    await page.reload();
    await theme.waitFor();
    expect(await back()).toBe(dark);
    await close();
  });

  /** Before each page of it: the browser lets no page keep anything, or has no room. */
  const NO_STORAGE = {
    denied: `for (const name of ['localStorage', 'sessionStorage'])
      Object.defineProperty(window, name, { get() { throw new DOMException('Denied', 'SecurityError'); } });
      navigator.locks.request = () => Promise.reject(new DOMException('Denied', 'SecurityError'));`,
    full: `Storage.prototype.setItem = () => { throw new DOMException('Full', 'QuotaExceededError'); };`,
  };

  test.each(Object.entries(NO_STORAGE))(
    'with a storage that is %s all works but a reload',
    async (_, script) => {
      const { page, close } = await shown.visit({ at: 'docs/start.js' });
      await page.addInitScript(script);
      await page.goto(shown.url);
      await page.getByLabel('Prompt', { exact: true }).fill('kept by none');
      await page.keyboard.press('Control+Enter');
      await page.getByRole('article', { name: 'kept by none' }).getByText('Done').waitFor();
      const back = () => page.evaluate<string>('document.documentElement.dataset.theme');
      const before = await back();
      await page.getByRole('button', { name: /^Theme/ }).click();
      await expect.poll(back).not.toBe(before);
      await close();
    },
  );

  test('a page whose part does not come says why, and comes when it is tried again', async () => {
    const visit = await shown.visit();
    const { page, axe, close } = visit;
    await page.getByLabel('Prompt', { exact: true }).waitFor();
    await page.route(/console\/page/, (route) => route.abort());
    await page.getByRole('link', { name: 'Gallery' }).click();
    await page.getByText(/Failed to fetch .*console\/page/).waitFor();
    expect(await axe()).toEqual([]);
    await page.unroute(/console\/page/);
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByRole('list', { name: 'Jobs, newest first' }).waitFor({ state: 'attached' });
    await close();
  });

  test('an address of no page shows the first one', async () => {
    const { page, close } = await shown.visit({ at: '#/nothing/%zz?a=b' });
    await page.getByLabel('Prompt', { exact: true }).waitFor();
    await close();
  });
});
