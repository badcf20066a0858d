// Words of any length, narrow pages, wide letters and forced colours: nothing goes out of the page sideways, and what is chosen shows.

import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Console, hasChromium, openConsole, type Visit } from './console.ts';

const WORD = 'W'.repeat(300);
const PROMPT = 'a fox in the snow '.repeat(500).trim();

/** What stands on each page when it is whole. */
const PAGES = {
  '#/': '.send',
  '#/gallery': '.gallery-tile',
  '#/workflows': '.workflow-list li',
  '#/operations': '.hosts li',
};

/** As the success criterion 1.4.12 of WCAG 2.2 has them. */
const TEXT_SPACING = `* { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important; }
  p { margin-bottom: 2em !important; }`;

describe.skipIf(!hasChromium)('Long words and narrow pages', () => {
  let shown: Console;
  let folder: string;
  let id: string;
  let key: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'workflows-'));
    await cp('workflows', folder, { recursive: true });
    await addLong();
    shown = await openConsole({ WORKFLOWS_PATH: folder });
    id = await made({ prompt: PROMPT });
    key = await shown.key('o'.repeat(64));
  });
  afterAll(async () => {
    await shown?.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function addLong(): Promise<void> {
    const inputs = JSON.parse(await readFile('workflows/flux2_turbo_default.inputs.json', 'utf8')) as {
      inputs: { [name: string]: object };
    };
    const long = { title: WORD, description: WORD };
    const { steps, ...others } = inputs.inputs;
    await cp('workflows/flux2_turbo_default.json', join(folder, 'long.json'));
    await writeFile(
      join(folder, 'long.inputs.json'),
      JSON.stringify({
        ...inputs,
        ...long,
        inputs: { ...others, prompt: { ...others['prompt'], ...long }, steps: { ...steps, ...long } },
      }),
    );
  }

  async function made(body: object): Promise<string> {
    const accepted = await fetch(`${shown.url}api/generate`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ width: 256, height: 256, steps: 1, ...body }),
    });
    const { job_id: id } = (await accepted.json()) as { job_id: string };
    await vi.waitUntil(async () => {
      const status = await fetch(`${shown.url}api/status/${id}?wait=10`);
      return ((await status.json()) as { status: string }).status === 'completed';
    }, 60_000);
    return id;
  }

  async function go(page: Page, to: keyof typeof PAGES): Promise<void> {
    await page.goto(`${shown.url}${to}`);
    await page.locator(PAGES[to]).first().waitFor();
    await page.locator('main .skeleton').first().waitFor({ state: 'detached' });
  }

  /** What is wider than what it stands in: the page, and dialogs. */
  const sideways = (page: Page) =>
    page.evaluate(`[document.documentElement, ...document.querySelectorAll('dialog')]
      .filter((one) => one.scrollWidth > one.clientWidth)
      .map((one) => one.tagName + ' ' + one.scrollWidth + ' ' + [...one.querySelectorAll('*')]
        .filter((inner) => inner.getBoundingClientRect().right > one.clientWidth + 1)
        .map((inner) => inner.tagName + '.' + inner.className).slice(0, 8).join(' '))`);

  /** With these changes of what the API says. */
  async function changed(page: Page, path: string, change: (answer: never) => object): Promise<void> {
    await page.route(path, async (route) => {
      const answer = await route.fetch();
      await route.fulfill({ response: answer, json: change((await answer.json()) as never) });
    });
  }

  async function withLongHosts(page: Page): Promise<void> {
    await changed(page, '**/api/admin/hosts', ({ hosts }: { hosts: { devices: object[] }[] }) => ({
      hosts: hosts.map((host) => ({
        ...host,
        trouble: WORD,
        models: [WORD],
        devices: host.devices.map((device) => ({ ...device, name: WORD })),
      })),
    }));
  }

  const size = async (visit: Visit, selector: string) => (await visit.page.locator(selector).boundingBox())!;

  test.each([1280, 320])('long words of people and operators break: %i pixels', async (width) => {
    const { page, axe, close } = await shown.visit({ viewport: { width, height: 800 } });
    await withLongHosts(page);
    await go(page, '#/');
    await page.getByLabel('Workflow', { exact: true }).selectOption('long');
    await page.getByLabel(WORD).first().waitFor();
    await page.getByText(/More settings/).click();
    expect(await sideways(page)).toEqual([]);
    for (const to of ['#/workflows', '#/operations'] as const) {
      await go(page, to);
      await page.getByText(WORD).first().waitFor();
      expect(await sideways(page)).toEqual([]);
      expect(await axe()).toEqual([]);
    }
    await close();
  });

  test.each([1280, 320])(
    'a job in detail has a short title and the whole prompt: %i pixels',
    async (width) => {
      const { page, axe, close } = await shown.visit({ viewport: { width, height: 800 } });
      await changed(page, `**/api/jobs/${id}`, (job: { outputs: object[] }) => ({
        ...job,
        error: WORD,
        outputs: job.outputs.map((one) => ({ ...one, kind: 'file', filename: `${WORD}.bin` })),
      }));
      await page.goto(`${shown.url}#/gallery/${id}`);
      const dialog = page.getByRole('dialog');
      await dialog.getByText(id).waitFor();
      const heading = dialog.getByRole('heading', { level: 2 });
      expect((await heading.boundingBox())!.height).toBeLessThan(80);
      expect((await heading.innerText()).length).toBeLessThanOrEqual(101);
      expect(await dialog.locator('.facts dd').allInnerTexts()).toContain(PROMPT);
      const [file, facts] = await Promise.all(
        [dialog.getByRole('link', { name: `${WORD}.bin` }), dialog.locator('.facts').first()].map((one) =>
          one.boundingBox(),
        ),
      );
      const isBeside = facts!.y < file!.y + file!.height;
      expect(isBeside && file!.x + file!.width > facts!.x).toBe(false);
      expect(await sideways(page)).toEqual([]);
      expect(await axe()).toEqual([]);
      await close();
    },
  );

  test('a prompt that is too long is not cut, and is wrong at its field; one from right to left begins at the right', async () => {
    const { page, close } = await shown.visit();
    const prompt = page.getByLabel('Prompt', { exact: true });
    const long = 'x'.repeat(10_001);
    await prompt.fill(long);
    expect(await prompt.inputValue()).toBe(long);
    await page.keyboard.press('Control+Enter');
    await page.locator('.field.wrong .field-error', { hasText: '10000' }).waitFor();
    await prompt.fill('ثعلب أحمر في الثلج');
    await page.keyboard.press('Control+Enter');
    await page.locator('.card-prompt').waitFor();
    for (const one of ['textarea[name=prompt]', '.card-prompt'])
      expect(await page.evaluate(`getComputedStyle(document.querySelector('${one}')).direction`)).toBe('rtl');
    await close();
  });

  test('a card is named by the beginning of its prompt', async () => {
    const { page, close } = await shown.visit();
    await page.getByLabel('Prompt', { exact: true }).fill(PROMPT);
    await page.keyboard.press('Control+Enter');
    const name = await page.getByRole('article').getAttribute('aria-label');
    expect(name).toMatch(/^a fox in the snow .*…$/);
    expect(name!.length).toBeLessThanOrEqual(101);
    await close();
  });

  test.each([1280, 320])(
    'a long failure scrolls in itself, and stays until dismissed: %i pixels',
    async (width) => {
      const visit = await shown.visit({ viewport: { width, height: 600 } });
      const { page, axe, close } = visit;
      await go(page, '#/');
      await page.route('**/api/generate', (route) =>
        route.fulfill({ status: 400, json: { error: WORD.repeat(10), code: 'invalid' } }),
      );
      await page.getByLabel('Prompt', { exact: true }).fill('refused');
      await page.keyboard.press('Control+Enter');
      const failure = page.locator('.notice.fault');
      const dismiss = failure.getByRole('button', { name: 'Dismiss' });
      await dismiss.waitFor();
      const { y, height } = await size(visit, '.notice.fault');
      expect([y >= 0, y + height <= 600]).toEqual([true, true]);
      await failure.hover();
      await page.mouse.wheel(0, 5000);
      await expect
        .poll(() => page.evaluate(`document.querySelector('.notice.fault').scrollTop`))
        .toBeGreaterThan(0);
      expect((await dismiss.boundingBox())!.y).toBeGreaterThanOrEqual(y);
      expect(await axe()).toEqual([]);
      // What was done goes by itself; what failed is still there then.
      await page.getByRole('button', { name: 'Reset' }).click();
      const done = page.locator('.notice:not(.fault)');
      await done.waitFor();
      await done.waitFor({ state: 'detached' });
      await dismiss.click();
      await failure.waitFor({ state: 'detached' });
      await close();
    },
  );

  test('in forced colours the current page, progress and plots show', async () => {
    const { page, axe, close } = await shown.visit({ forcedColors: 'active' });
    await go(page, '#/operations');
    const back = (selector: string) =>
      page.evaluate(`getComputedStyle(document.querySelector('${selector}')).backgroundColor`);
    expect(await back('.top nav a[aria-current]')).not.toBe(await back('.top nav a:not([aria-current])'));
    const legends = await page.evaluate(`[...document.querySelectorAll('.legend')].slice(0, 3)
      .map((one) => getComputedStyle(one).borderBottomColor)`);
    expect(new Set(legends as string[]).size).toBe(3);
    const bars = await page.evaluate(`getComputedStyle(document.querySelector('.bars.series-0')).fill`);
    expect(bars).toBe((legends as string[])[0]);
    expect(await back('.plot svg')).toBe(await back('.panel'));
    expect(await axe()).toEqual([]);
    await close();
  });

  test.each(Object.keys(PAGES) as (keyof typeof PAGES)[])(
    'with wide letters nothing goes out of 320 pixels, in German: %s',
    async (to) => {
      const { page, axe, complaints, close } = await shown.visit({
        locale: 'de-DE',
        viewport: { width: 320, height: 640 },
        bypassCSP: true,
      });
      await go(page, to);
      await page.addStyleTag({ content: TEXT_SPACING });
      expect(await sideways(page)).toEqual([]);
      const right =
        await page.evaluate(`Math.max(...[...document.querySelectorAll('.top nav a, h2, .hosts .row > *')]
        .map((one) => one.getBoundingClientRect().right))`);
      expect(right).toBeLessThanOrEqual(320);
      expect(await axe()).toEqual([]);
      expect(complaints).toEqual([]);
      await close();
    },
  );

  test.each([
    ['en-GB', 390],
    ['de-DE', 390],
    ['de-DE', 375],
  ])(
    'on a phone the header and the form’s end are a row each, with a key: %s, %i pixels',
    async (locale, width) => {
      const visit = await shown.visit({
        locale,
        viewport: { width, height: 844 },
        hasTouch: true,
        isMobile: true,
      });
      const { page, axe, close } = visit;
      await page.evaluate(`sessionStorage.setItem('api-key', '${key}')`);
      await page.reload();
      await page.locator('.send').waitFor();
      await page.locator('.choices .owner').waitFor({ state: 'attached' });
      expect((await size(visit, '.top')).height).toBeLessThan(68);
      expect((await size(visit, '.send')).height).toBeLessThan(64);
      expect(await sideways(page)).toEqual([]);
      expect(await axe()).toEqual([]);
      await close();
    },
  );
});
