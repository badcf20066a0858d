// A job in the gallery's details: its facts where there are any, the workflow in its picture, and the filter of what is gone.

import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Console, hasChromium, openConsole } from './console.ts';

/** No number of JavaScript's. */
const SEED = '18446744073709551615';

describe.skipIf(!hasChromium)('Details of a job', () => {
  let shown: Console;
  let id: string;
  beforeAll(async () => {
    shown = await openConsole();
    const accepted = await fetch(`${shown.url}api/generate`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ prompt: 'a red fox', width: 256, height: 256, steps: 1, seed: SEED }),
    });
    ({ job_id: id } = (await accepted.json()) as { job_id: string });
    await vi.waitUntil(async () => {
      const status = await fetch(`${shown.url}api/status/${id}?wait=10`);
      return ((await status.json()) as { status: string }).status === 'completed';
    }, 60_000);
  });
  afterAll(() => shown?.close());

  /** With these fields in place of the job's own. */
  async function details(changes: object) {
    const visit = await shown.visit();
    await visit.page.route(`**/api/jobs/${id}`, async (route) => {
      const answer = await route.fetch();
      await route.fulfill({ response: answer, json: { ...((await answer.json()) as object), ...changes } });
    });
    await visit.page.goto(`${shown.url}#/gallery/${id}`);
    const dialog = visit.page.getByRole('dialog');
    await dialog.getByText(id).waitFor();
    const facts = (await dialog.locator('dl.facts').first().innerText()).split('\n').filter(Boolean);
    return { ...visit, dialog, factOf: (name: string) => facts[facts.indexOf(name) + 1], facts };
  }

  test('says what it cost and where it ran', async () => {
    const { factOf, close } = await details({
      gpu_seconds: 12.34,
      cost_usd: 0.0123,
      attempts: 2,
      host: 'host-7',
    });
    expect(factOf('GPU seconds')).toBe('12.3');
    expect(factOf('Cost')).toBe('$0.0123');
    expect(factOf('Attempts')).toBe('2');
    expect(factOf('Host')).toBe('host-7');
    await close();
  });

  test('leaves out what is not known', async () => {
    const { facts, close } = await details({
      gpu_seconds: null,
      cost_usd: null,
      attempts: 0,
      host: null,
      queued_seconds: null,
      duration_seconds: null,
    });
    for (const name of ['GPU seconds', 'Cost', 'Host']) expect(facts).not.toContain(name);
    expect(facts.join(' ')).not.toMatch(/NaN|null|undefined|Infinity/);
    await close();
  });

  test('gives the workflow in its picture, without the names of the attempt', async () => {
    const { page, dialog, close } = await details({});
    const downloading = page.waitForEvent('download');
    await dialog.getByRole('button', { name: 'Workflow in the picture' }).click();
    const download = await downloading;
    expect(download.suggestedFilename()).toMatch(/_00001_\.prompt\.json$/);
    const text = await readFile(await download.path(), 'utf8');
    expect(Object.values(JSON.parse(text) as object)).toContainEqual(
      expect.objectContaining({ class_type: 'SaveImage' }),
    );
    expect(text).toContain(SEED);
    expect(text).not.toContain('rest-api/');
    await close();
  });

  test('or says that there is none', async () => {
    const { page, dialog, close } = await details({});
    await page.route('**/metadata', (route) => route.fulfill({ json: { prompt: null, workflow: null } }));
    await dialog.getByRole('button', { name: 'Workflow in the picture' }).click();
    const notice = page.getByText('The picture has no workflow in it');
    await notice.waitFor();
    // What is outside the topmost dialog is inert: neither heard nor pressed.
    await dialog.getByRole('button', { name: 'Delete' }).click();
    const question = page.getByRole('dialog').last();
    await expect.poll(() => question.getByText('The picture has no workflow in it').count()).toBe(1);
    expect(await notice.count()).toBe(1);
    await page.keyboard.press('Escape');
    await page.keyboard.press('Escape');
    await expect.poll(() => page.getByRole('dialog').count()).toBe(0);
    await notice.waitFor();
    await page.getByRole('button', { name: 'Dismiss' }).click();
    await notice.waitFor({ state: 'detached' });
    await close();
  });

  test('another job’s, opened in the moment in which these are closed, are shown', async () => {
    const { page, dialog, close } = await details({});
    await page.evaluate(`
      document.addEventListener('keyup', () => { location.hash = '#/gallery/00000000-0000-4000-8000-000000000000'; }, { once: true });
    `);
    await page.keyboard.press('Escape');
    await dialog.getByText('Job not found').waitFor();
    await close();
  });

  test('a notice can be dismissed while a dialog is open', async () => {
    const { page, dialog, close } = await details({});
    await page.route('**/metadata', (route) =>
      route.fulfill({ status: 415, json: { error: 'no picture', code: 'not_convertible' } }),
    );
    await dialog.getByRole('button', { name: 'Workflow in the picture' }).click();
    const notice = dialog.getByText('no picture');
    await notice.waitFor();
    await dialog.getByRole('button', { name: 'Dismiss' }).click();
    await notice.waitFor({ state: 'detached' });
    expect(await dialog.isVisible()).toBe(true);
    await close();
  });

  test('jobs of a workflow that is gone, and of graphs, are found by the filter', async () => {
    const { page, close } = await shown.visit();
    await page.route(/\/api\/jobs\?/, async (route) => {
      const answer = await route.fetch();
      const { jobs, ...rest } = (await answer.json()) as { jobs: object[] };
      await route.fulfill({
        response: answer,
        json: { ...rest, jobs: jobs.map((job) => ({ ...job, workflow: 'long_gone' })) },
      });
    });
    await page.goto(`${shown.url}#/gallery`);
    const filter = page.locator('.gallery-bar select').first();
    await filter.getByRole('option', { name: 'long_gone (removed)' }).waitFor({ state: 'attached' });
    const asked = (name: string) =>
      page.waitForRequest((request) => new URL(request.url()).searchParams.get('workflow') === name);
    const gone = asked('long_gone');
    await filter.selectOption('long_gone');
    await gone;
    const graphs = asked('(graph)');
    await filter.selectOption('(graph)');
    await graphs;
    expect(await filter.inputValue()).toBe('(graph)');
    // The last answer is still on its way.
    await page.unrouteAll({ behavior: 'ignoreErrors' });
    await close();
  });
});
