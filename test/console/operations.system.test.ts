// The page Operations, as an operator uses it, in a real Chromium.

import { createServer } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { listenOn } from '../support/listen-on.ts';
import { type Console, hasChromium, openConsole } from './console.ts';

describe.skipIf(!hasChromium)('Operations', () => {
  let shown: Console;
  beforeAll(async () => {
    shown = await openConsole({ WEBHOOK_ALLOW_PRIVATE: 'true' });
  });
  afterAll(() => shown?.close());

  async function made(body: Record<string, unknown> = {}): Promise<string> {
    const accepted = await fetch(`${shown.url}api/generate`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ prompt: 'a red fox', width: 256, height: 256, steps: 4, ...body }),
    });
    const { job_id: id } = (await accepted.json()) as { job_id: string };
    const status = async () => {
      const answer = await fetch(`${shown.url}api/status/${id}?wait=20`);
      return ((await answer.json()) as { status: string }).status;
    };
    await expect.poll(status).toBe('completed');
    return id;
  }

  test('shows the host, the queue, and what ended', async () => {
    await made();
    const { page, close } = await shown.visit({ at: '#/operations' });
    await page.getByText('simulated', { exact: true }).first().waitFor();
    await page.getByText(/waiting, \d+ at a host/).waitFor();
    const plot = page.getByRole('img', { name: /Jobs that ended/ });
    await plot.locator('rect').first().waitFor();
    await page.getByText('Nothing failed.').waitFor();
    await close();
  });

  test('a plot says its values by the keyboard, and sums them in its table', async () => {
    const accepted = await fetch(`${shown.url}api/generate`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ prompt: 'a red fox', steps: 50 }),
    });
    const { job_id: id } = (await accepted.json()) as { job_id: string };
    const cancelled = await fetch(`${shown.url}api/queue/${id}`, { method: 'DELETE' });
    expect([accepted.status, cancelled.status]).toEqual([202, 200]);
    const { page, axe, close } = await shown.visit({ at: '#/operations' });
    const slider = page.getByRole('slider', { name: 'Values of: Jobs that ended, each five minutes' });
    const said = () => slider.getAttribute('aria-valuetext');
    await expect.poll(said).toMatch(/^\d\d:\d\d.{0,3}: completed \d+, failed \d+, cancelled \d+$/);
    await slider.focus();
    await page.keyboard.press('Home');
    await expect.poll(said).toMatch(/completed 0, failed 0, cancelled 0$/);
    await page.keyboard.press('End');
    const figure = page.getByRole('figure').filter({ has: slider });
    await figure.getByText('As a table').click();
    await figure.getByRole('row', { name: /^Sum \d+ 0 [1-9]\d*$/ }).waitFor();
    expect(await figure.getByRole('columnheader').allInnerTexts()).toEqual([
      'Time',
      'completed',
      'failed',
      'cancelled',
    ]);
    // Bars of one time stand on each other: none begins where another does.
    const feet = await figure.locator('rect').evaluateAll((bars: unknown[]) =>
      (bars as { getAttribute(name: string): string }[]).map((bar) => {
        const [x, y, height] = ['x', 'y', 'height'].map((name) => Number(bar.getAttribute(name)));
        return `${x!.toFixed(1)} ${(y! + height!).toFixed(1)}`;
      }),
    );
    expect(new Set(feet).size).toBe(feet.length);
    expect(await axe()).toEqual([]);
    await close();
  });

  test('a key is made, shown once, used, and revoked', async () => {
    const { page, close } = await shown.visit({ at: '#/operations' });
    await page.getByRole('button', { name: 'New key' }).click();
    await page.getByRole('button', { name: 'Make the key' }).click();
    const name = page.getByLabel('Name');
    await expect.poll(() => page.getByRole('dialog').locator('.field-error').count()).toBe(1);
    await name.fill('carol');
    await page.getByRole('button', { name: 'Make the key' }).click();
    const key = await page.locator('.key-shown code').innerText();
    expect(key).toMatch(/^ck_[0-9a-f]{16}_[\w-]{43}$/);
    // A slip of the hand does not lose it.
    await page.keyboard.press('Escape');
    await page.mouse.click(5, 5);
    expect(await page.locator('.key-shown code').innerText()).toBe(key);
    await page.getByRole('button', { name: 'I have kept it' }).click();
    await page.locator('.key-shown').waitFor({ state: 'detached' });
    expect(await page.content()).not.toContain(key);
    await page.getByRole('button', { name: 'Revoke carol' }).click();
    await page.getByRole('button', { name: 'Revoke it' }).click();
    await page.getByText('ended', { exact: true }).waitFor();
    await close();
  });

  test('a double click makes one key, and does not press what appears below it', async () => {
    const { page, close } = await shown.visit({ at: '#/operations' });
    await page.getByRole('button', { name: 'New key' }).click();
    await page.getByLabel('Name').fill('only-one');
    await page.getByRole('button', { name: 'Make the key' }).dblclick();
    const kept = page.getByRole('button', { name: 'I have kept it' });
    await kept.hover();
    await page.mouse.down({ clickCount: 2 });
    await page.mouse.up({ clickCount: 2 });
    await kept.click();
    await page.getByRole('button', { name: 'Revoke only-one' }).waitFor();
    const { keys } = (await (await fetch(`${shown.url}api/admin/keys`)).json()) as {
      keys: { name: string }[];
    };
    expect(keys.filter(({ name }) => name === 'only-one')).toHaveLength(1);
    await close();
  });

  test('limits of an owner are changed, and what is none stands at its field', async () => {
    await shown.key('lena');
    const { page, axe, close } = await shown.visit({ at: '#/operations' });
    await page.getByText('The API asks for no keys, and limits nothing.').waitFor();
    await page.getByText('Without keys nothing is counted').waitFor();
    await page.getByRole('button', { name: 'Change lena' }).click();
    const dialog = page.getByRole('dialog', { name: 'Limits of lena' });
    const images = dialog.getByLabel('Images a day');
    await images.fill('-1');
    await dialog.getByLabel('Dollars a month').fill('2.5');
    await dialog.getByRole('button', { name: 'Set the limits' }).click();
    await expect.poll(() => dialog.locator('.field-error').count()).toBe(1);
    expect(await images.getAttribute('aria-invalid')).toBe('true');
    expect(await axe()).toEqual([]);
    await images.fill('7');
    // Another sets another limit in between: it stays.
    await fetch(`${shown.url}api/admin/limits/lena`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ upload_mb: 'unlimited' }),
    });
    await page.keyboard.press('Enter');
    await dialog.waitFor({ state: 'detached' });
    const row = page.getByRole('row', { name: /^lena 0 of 120 0 of 1,000 0 of 7 2.5 unlimited/ });
    await row.waitFor();
    await close();
  });

  test('a webhook that was not taken is sent again', async () => {
    let answers = 500;
    const receiver = createServer((req, res) => {
      req.resume();
      res.writeHead(answers).end();
    });
    const url = await listenOn(receiver);
    await made({ webhook_url: url });
    const { page, close } = await shown.visit({ at: '#/operations' });
    const again = page.getByRole('button', { name: 'Send again' }).first();
    await again.waitFor();
    answers = 200;
    await again.click();
    const badges = page.locator('.webhooks .badge');
    await expect
      .poll(async () => {
        await page.reload();
        await again.waitFor();
        return badges.allInnerTexts();
      })
      .toEqual(['delivered']);
    await close();
    receiver.close();
  });

  test('webhooks of everybody are listed by state, page by page', async () => {
    const receiver = createServer((req, res) => {
      req.resume();
      res.writeHead(410).end();
    });
    const url = await listenOn(receiver);
    for (let n = 0; n < 22; n += 1) await made({ webhook_url: url, steps: 1 });
    const { page, axe, close } = await shown.visit({ at: '#/operations' });
    const panel = page.locator('section', { has: page.getByRole('heading', { name: 'Webhooks' }) });
    await panel.getByRole('combobox', { name: 'State' }).selectOption('failed');
    const rows = panel.locator('.webhooks > li');
    await expect.poll(() => rows.count()).toBe(20);
    await panel.getByText('20 shown.').waitFor();
    expect(await axe()).toEqual([]);
    await panel.getByRole('button', { name: 'Show more' }).click();
    await expect.poll(() => rows.count()).toBe(22);
    expect(await panel.getByRole('button', { name: 'Show more' }).count()).toBe(0);
    expect(new Set(await rows.locator('.badge').allInnerTexts())).toEqual(new Set(['failed']));
    await panel.getByRole('button', { name: 'Send again' }).first().click();
    await rows.first().getByText('pending', { exact: true }).waitFor();
    await panel.getByRole('combobox', { name: 'State' }).selectOption('pending');
    await expect.poll(() => rows.count()).toBeLessThanOrEqual(1);
    await close();
    receiver.close();
  });

  test.each(['light', 'dark'] as const)('axe finds nothing: %s', async (colorScheme) => {
    const { page, axe, close } = await shown.visit({ at: '#/operations', colorScheme });
    await page.getByRole('img', { name: /Jobs that ended/ }).waitFor();
    await page.getByText('Show as a table').first().click();
    expect(await axe()).toEqual([]);
    await page.getByRole('button', { name: 'New key' }).click();
    expect(await axe()).toEqual([]);
    await close();
  });

  test.each([360, 3840])('nothing is cut off at %i pixels, in German', async (width) => {
    const { page, close } = await shown.visit({
      at: '#/operations',
      locale: 'de-DE',
      viewport: { width, height: 800 },
    });
    await page.getByRole('heading', { name: 'Warteschlange' }).waitFor();
    await page.getByRole('img', { name: /Beendete Jobs/ }).waitFor();
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
    await close();
  });
});

describe.skipIf(!hasChromium)('with a key that is no operator’s', () => {
  let shown: Console;
  beforeAll(async () => {
    shown = await openConsole({ API_KEYS: 'required' });
  });
  afterAll(() => shown?.close());

  test('the page is not offered, nor shown by its address', async () => {
    const key = await shown.key('dave');
    const { page, close } = await shown.visit({ at: '#/operations' });
    await page.getByLabel('Key', { exact: true }).fill(key);
    await page.keyboard.press('Enter');
    await page.getByLabel('Prompt', { exact: true }).waitFor();
    expect(await page.getByRole('link', { name: 'Operations' }).count()).toBe(0);
    await close();
  });
});
