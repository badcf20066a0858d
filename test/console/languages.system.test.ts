// What workflows say of themselves, in the language that a person chose on the page: their titles, their fields, what jobs note.

import type { Request } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Console, hasChromium, openConsole, type Visit } from './console.ts';

type Page = Visit['page'];

describe.skipIf(!hasChromium)('workflows in the language of the page', () => {
  let shown: Console;
  beforeAll(async () => {
    shown = await openConsole();
  });
  afterAll(() => shown?.close());

  /** Without what comes just after a person's own click. */
  const watchShifts = (page: Page) =>
    page.addInitScript(`
      globalThis.shift = 0;
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) if (!entry.hadRecentInput) globalThis.shift += entry.value;
      }).observe({ type: 'layout-shift', buffered: true });
    `);
  const shiftOf = (page: Page) => page.evaluate<number>('globalThis.shift');

  /** Of what the page asks for workflows, the languages. */
  function languagesOf(page: Page): Set<string | undefined> {
    const asked = new Set<string | undefined>();
    page.on('request', (request) => {
      if (new URL(request.url()).pathname.startsWith('/api/workflows'))
        asked.add(request.headers()['accept-language']);
    });
    return asked;
  }

  test('a form is German from the start, and becomes English where it stands', async () => {
    const { page, axe, close } = await shown.visit({ at: 'docs/start.js', locale: 'de-AT' });
    await watchShifts(page);
    const asked = languagesOf(page);
    await page.goto(shown.url);
    const width = page.getByRole('textbox', { name: 'Breite' });
    await width.fill('512');
    await page.getByText('Was das Bild zeigen soll.').waitFor();
    expect(await page.getByLabel('Workflow', { exact: true }).innerText()).toContain('nach einem Bild');
    expect([...asked]).toEqual(['de']);
    expect(await shiftOf(page)).toBe(0);
    expect(await axe()).toEqual([]);

    await page.getByLabel('Sprache').selectOption('en');
    const inEnglish = page.getByRole('textbox', { name: 'Width' });
    await inEnglish.waitFor();
    expect(await inEnglish.inputValue()).toBe('512');
    await page.getByText('What the image should show.').waitFor();
    await page.getByRole('option', { name: 'FLUX.2 Turbo, upscaled' }).waitFor({ state: 'attached' });
    expect([...asked]).toEqual(['de', 'en']);
    expect(await page.getByText('Breite').count()).toBe(0);
    // Words have other widths; nothing but words is another.
    expect(await shiftOf(page)).toBeLessThan(0.01);
    await close();
  });

  test('what was asked for in the language before does not replace what came in the chosen one', async () => {
    const { page, close } = await shown.visit({ at: 'docs/start.js', locale: 'de' });
    const isLate = (request: Request) =>
      request.url().endsWith('/flux2_turbo_upscale') && request.headers()['accept-language'] === 'de';
    let release = () => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    await page.route('**/api/workflows/*', async (route, request) => {
      if (isLate(request)) await held;
      await route.continue();
    });
    await page.goto(shown.url);
    await page.getByRole('textbox', { name: 'Breite' }).waitFor();
    const begun = page.waitForRequest(isLate);
    await page.getByLabel('Workflow', { exact: true }).selectOption('flux2_turbo_upscale');
    await begun;
    await page.getByLabel('Sprache').selectOption('en');
    await page.getByText('Width of the first pass').waitFor();
    const answered = page.waitForResponse((answer) => isLate(answer.request()));
    release();
    await (await answered).finished();
    // What comes of it is drawn by then.
    await page.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))');
    expect(await page.getByText('Width of the first pass').count()).toBe(1);
    expect(await page.getByText('Breite').count()).toBe(0);
    await close();
  });

  test('a job’s note, the gallery and the list of workflows are German, and then English', async () => {
    const { page, close } = await shown.visit({ locale: 'de' });
    await page.getByLabel('Prompt', { exact: true }).fill('a fox');
    await page.getByText('Weitere Einstellungen').click();
    await page.getByLabel('Negativer Prompt').fill('blur');
    await page.getByRole('button', { name: 'Einreihen' }).click();
    const card = page.getByRole('article', { name: 'a fox' });
    await card.getByText('Ein negativer Prompt braucht true_cfg über 1.').waitFor();
    await card.getByText('Fertig').waitFor();
    const switchTo = (label: string, language: string) => page.getByLabel(label).selectOption(language);

    await page.getByRole('link', { name: 'Galerie' }).click();
    const option = (name: string) => page.getByRole('option', { name }).waitFor({ state: 'attached' });
    await option('FLUX.2 Turbo, vergrößert');
    await switchTo('Sprache', 'en');
    await option('FLUX.2 Turbo, upscaled');

    await page.getByRole('link', { name: 'Workflows' }).click();
    await page.getByText('Text to image with FLUX.2 dev').waitFor();
    await switchTo('Language', 'de');
    await page.getByText('Vom Text zum Bild mit FLUX.2 dev').waitFor();

    await page.getByRole('link', { name: 'Erzeugen' }).click();
    await switchTo('Sprache', 'en');
    await card.getByText('A negative prompt needs true_cfg above 1').waitFor();
    await close();
  });
});
