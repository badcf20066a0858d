// Makes the pictures of docs/images, which the README and the papers show: every page in both themes, with jobs of the simulated
// ComfyUI. Only when asked for: `SCREENSHOTS=1 npx vitest run --project system test/console/screenshots.system.test.ts`.

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
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
