// Why a job waits, as a person who reads German sees it: on its card while it changes, and in the gallery.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Fleet, UNKNOWN_FLEET } from '../../functions/core/fleet.ts';
import { TIMINGS } from '../../functions/core/timings.ts';
import { build } from '../support/program.ts';
import { type Rig, startRig } from '../support/rig.ts';
import { hasChromium, openBrowser } from './console.ts';

describe.skipIf(!hasChromium)('why a job waits', () => {
  let rig: Rig;
  let browser: Awaited<ReturnType<typeof openBrowser>>;
  beforeAll(async () => {
    await build();
    rig = await startRig({
      forward: false,
      settings: { fixedComfyUI: false },
      timings: { ...TIMINGS, followerHearsEvery: 500 },
    });
    browser = await openBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await rig?.close();
  });

  const fleet = async (more: Partial<Fleet>) => {
    const { version } = (await rig.store.fleetStore.read()) ?? UNKNOWN_FLEET;
    await rig.store.fleetStore.write({ ...UNKNOWN_FLEET, version, updatedAt: rig.store.now(), ...more });
  };

  test('German: a host starts, then none can be, and the API’s reason stands behind it', async () => {
    const now = rig.store.now();
    await fleet({ desired: 1, secondsPerStart: 240, seen: { 'i-1': { firstSeen: now - 190_000 } } });
    const { page, axe, close } = await browser.visit(rig.url, { locale: 'de-DE' });
    await page.getByLabel('Prompt', { exact: true }).fill('ein Fuchs');
    await page.keyboard.press('Control+Enter');
    const card = page.getByRole('article', { name: 'ein Fuchs' });
    await card.getByText(/ein Host startet, etwa [1-4]?\d Sek\./).waitFor();
    await fleet({ blocked: { code: 'quota', reason: 'the account may have 0 vCPUs', at: now } });
    await card.getByText('es kann kein Host gestartet werden: the account may have 0 vCPUs').waitFor();
    expect(await axe()).toEqual([]);
    await page.goto(`${rig.url}/#/gallery`);
    await page.getByRole('link', { name: /ein Fuchs/ }).click();
    const why = page.getByRole('dialog').locator('dl > div').filter({ hasText: 'Warum er wartet' });
    await why.getByText('es kann kein Host gestartet werden: the account may have 0 vCPUs').waitFor();
    await close();
  });

  test('a code of a newer API is said by its sentence', async () => {
    const jobId = await rig.generate({ prompt: 'ein Dachs' });
    const { page, close } = await browser.visit(`${rig.url}/#/gallery`, { locale: 'de-DE' });
    await page.route(`**/api/jobs/${jobId}`, async (route) => {
      const answer = await route.fetch();
      const json = (await answer.json()) as Record<string, unknown>;
      await route.fulfill({
        response: answer,
        json: { ...json, waiting_code: 'full_moon', waiting_for: 'a full moon', waiting_seconds: 7 },
      });
    });
    await page.getByRole('link', { name: /ein Dachs/ }).click();
    await page.getByRole('dialog').getByText('wartet auf a full moon', { exact: true }).waitFor();
    await close();
  });
});
