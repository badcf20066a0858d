// Makes the pictures of docs/images, which the README and the papers show: every page in both themes, with jobs of the simulated
// ComfyUI, after a day of made-up numbers. Only when asked for:
// `SCREENSHOTS=1 npx vitest run --project system test/console/screenshots.system.test.ts`.

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openWorkspaceTables } from '../../functions/local/tables.ts';
import { createLedgers } from '../../functions/store/ledgers.ts';
import { type Console, openConsole } from './console.ts';

const FOLDER = 'docs/images';
const PROMPTS = [
  'a lighthouse on a cliff at dusk, long exposure',
  'a red fox in fresh snow, morning light',
  'a bowl of ramen, steam, top view',
  'a sailing boat on a calm lake, mountains behind',
  'a city at night in the rain, neon',
  'an abstract wave in teal and gold',
];

describe.skipIf(!process.env['SCREENSHOTS'])('pictures of every page', () => {
  let shown: Console;
  beforeAll(async () => {
    shown = await openConsole();
    await putHours(shown.workspace);
    await mkdir(FOLDER, { recursive: true });
  });
  afterAll(() => shown?.close());

  test.each(['light', 'dark'] as const)('%s', async (colorScheme) => {
    const { page, close } = await shown.visit({ colorScheme, viewport: { width: 1360, height: 850 } });
    for (const prompt of PROMPTS) {
      await page.getByLabel('Prompt', { exact: true }).fill(prompt);
      await page.keyboard.press('Control+Enter');
      await page.getByRole('article', { name: prompt }).getByText('Done').waitFor();
    }
    const links = page.getByRole('navigation').getByRole('link');
    for (const name of await links.allInnerTexts()) {
      await links.filter({ hasText: name }).click();
      await settled(page);
      const path = join(FOLDER, `${name.trim().toLowerCase()}-${colorScheme}.jpg`);
      await page.screenshot({ path, type: 'jpeg', quality: 82 });
    }
    expect(await links.count()).toBeGreaterThan(0);
    await close();
  });
});

/** Nothing is being loaded, neither by the page nor by an image of it. */
async function settled(page: Page): Promise<void> {
  const isSettled = () =>
    page.evaluate(
      "document.querySelector('.skeleton, .working') === null && [...document.images].every((one) => one.complete)",
    );
  await page.locator('main img, main .panel').first().waitFor();
  await expect.poll(isSettled).toBe(true);
}

const HOUR = 3_600_000;

/** What a host would have counted in the last six hours: more jobs towards noon, now and then a failure. */
async function putHours(workspace: string): Promise<void> {
  const { engine } = await openWorkspaceTables(workspace);
  const until = engine.clock.now();
  let now = until - 6 * HOUR;
  const ledger = createLedgers({ ...engine, clock: { ...engine.clock, now: () => now } }).of('a-day');
  for (let job = 0; now < until; job += 1) {
    const rush = Math.sin(((now - until) / HOUR / 6 + 1) * Math.PI);
    const waited = 500 + 20_000 * rush ** 2 * Math.abs(Math.sin(job));
    const ended = { jobId: `job-${job}`, createdAt: now - waited - 8000, startedAt: now - 8000, gpuMs: 8000 };
    ledger.ended(
      job % 37 === 0
        ? { ...ended, status: 'failed', errorCode: 'node_failed' }
        : { ...ended, status: 'completed', outputs: [] },
    );
    const before = Math.floor(now / HOUR);
    now += 120_000 - 100_000 * rush;
    if (Math.floor(now / HOUR) !== before) await ledger.write();
  }
  await ledger.write();
  await engine.close();
}
