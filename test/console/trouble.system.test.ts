// The console while the API is slow, limits it, is away behind a proxy, or answers half: a real Chromium, the real server, and a
// proxy between them that makes the trouble.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { PNG } from 'pngjs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Proxy, startProxy } from '../support/proxy.ts';
import { type Console, hasChromium, openConsole, type Visit } from './console.ts';

type Trouble = (request: IncomingMessage, response: ServerResponse) => void;

const refusing =
  (status: number, body: object, headers: Record<string, string> = {}): Trouble =>
  (_, response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
  };
const limiting = (status: number, code: string): Trouble =>
  refusing(status, { error: 'Too much at once', code }, { 'retry-after': '1' });
const failing: Trouble = refusing(500, { error: 'Internal error; request 7', code: 'internal_error' });
const page502: Trouble = (_, response) => {
  response.writeHead(502, { 'content-type': 'text/html' }).end('<h1>Bad Gateway</h1>');
};
const page504: Trouble = (_, response) => {
  response.writeHead(504, { 'content-type': 'text/html' }).end('<h1>Gateway Timeout</h1>');
};
/** A login page of a hotel's network. */
const page200: Trouble = (_, response) => {
  response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Welcome</h1>');
};
const cutting: Trouble = (_, response) => {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
  response.write('{"workflows":["flux2', () => response.destroy());
};

const AWAY = 'The API does not answer';
const WAITS = 'The API asks to wait a moment';

describe.skipIf(!hasChromium)('under trouble', () => {
  let shown: Console;
  let proxy: Proxy;
  /** `METHOD path`, in their order. */
  let requests: string[];
  const count = (part: string) => requests.filter((one) => one.includes(part)).length;
  beforeAll(async () => {
    shown = await openConsole();
    proxy = await startProxy(shown.url.slice(0, -1));
    for (let at = 0; at < 3; at += 1) await made(`number ${at}`);
  });
  afterAll(async () => {
    await proxy?.close();
    await shown?.close();
  });
  beforeEach(() => {
    requests = [];
  });
  afterEach(() => {
    proxy.answer = () => false;
  });

  async function made(prompt: string): Promise<void> {
    const accepted = await fetch(`${shown.url}api/generate`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ prompt, width: 256, height: 256, steps: 1 }),
    });
    const { job_id: id } = (await accepted.json()) as { job_id: string };
    for (let status = ''; status !== 'completed';) {
      const answer = await fetch(`${shown.url}api/status/${id}?wait=20`);
      ({ status } = (await answer.json()) as { status: string });
    }
  }

  /** @param times of each such request; the others pass */
  function trouble(part: string, make: Trouble, times = Infinity): void {
    let left = times;
    proxy.answer = (request, response) => {
      requests.push(`${request.method} ${request.url}`);
      if (left <= 0 || !`${request.method} ${request.url}`.includes(part)) return false;
      left -= 1;
      make(request, response);
      return true;
    };
  }

  const visit = (at = ''): Promise<Visit> => shown.visit({ at, through: proxy.url });
  const tilesOf = ({ page }: Visit) =>
    page.getByRole('list', { name: 'Jobs, newest first' }).getByRole('link');

  test.each([
    [429, 'too_many_requests', 'GET /api/usage'],
    [429, 'too_many_requests', 'GET /api/workflows'],
    [503, 'unavailable', 'GET /api/workflows/'],
  ])('%i %s to %s is waited out, with one notice', async (status, code, part) => {
    trouble(part, limiting(status, code), 3);
    const { page, axe, close } = await visit();
    await page.getByText(WAITS).waitFor();
    expect(await page.getByText(WAITS).count()).toBe(1);
    expect(await axe()).toEqual([]);
    await page.getByLabel('Prompt', { exact: true }).waitFor();
    await page.getByText(WAITS).waitFor({ state: 'detached' });
    // Each of them waited for as long as it was told.
    expect(count(part)).toBeLessThanOrEqual(5);
    await close();
  });

  test('a job that is sent into a limit is accepted once, when there is room', async () => {
    const { page, close } = await visit();
    await page.getByLabel('Prompt', { exact: true }).fill('there is room');
    trouble('POST /api/generate', limiting(429, 'too_many_requests'), 2);
    await page.keyboard.press('Control+Enter');
    await page.getByText(WAITS).waitFor();
    await page.getByRole('article', { name: 'there is room' }).getByText('Done').waitFor();
    expect(count('POST /api/generate')).toBe(3);
    await close();
  });

  test('a limit that ends tomorrow is said at once', async () => {
    const { page, close } = await visit();
    await page.getByLabel('Prompt', { exact: true }).fill('none left');
    const said = { error: 'No images are left today', code: 'images_used_up' };
    trouble('POST /api/generate', refusing(429, said, { 'retry-after': '40000' }));
    await page.keyboard.press('Control+Enter');
    await page.getByText('No images are left today').waitFor();
    expect(count('POST /api/generate')).toBe(1);
    await close();
  });

  test('thumbnails that are too many at once come when there is room', async () => {
    trouble('/thumbnail', limiting(503, 'too_many_readers'), 4);
    const shownGallery = await visit('#/gallery');
    await expect.poll(() => tilesOf(shownGallery).locator('img').count()).toBeGreaterThanOrEqual(3);
    await shownGallery.close();
  });

  test.each([
    ['a proxy’s 502', page502],
    ['a proxy’s 504', page504],
    ['a page that asks to log in', page200],
    ['an answer that is cut', cutting],
  ])('%s is a lost connection, and the page goes on', async (_, make) => {
    let isAway = true;
    proxy.answer = (request, response) => {
      if (!isAway || !request.url!.startsWith('/api/')) return false;
      make(request, response);
      return true;
    };
    const { page, close } = await visit();
    await page.getByText(AWAY).waitFor();
    // Over several tries it is said once, and nothing else.
    await expect.poll(() => page.getByText(AWAY).count()).toBe(1);
    isAway = false;
    await page.getByLabel('Prompt', { exact: true }).waitFor();
    await page.getByText(AWAY).waitFor({ state: 'detached' });
    await close();
  });

  test('a job whose answer is cut, or comes of a proxy, is accepted once', async () => {
    const { page, close } = await visit();
    await page.getByLabel('Prompt', { exact: true }).fill('answer lost');
    let times = 0;
    proxy.answer = (request, response) => {
      if (request.url !== '/api/generate' || times > 1) return false;
      (times === 0 ? cutting : page502)(request, response);
      times += 1;
      return true;
    };
    await page.keyboard.press('Control+Enter');
    await page.getByRole('article', { name: 'answer lost' }).getByText('Done').waitFor();
    expect(times).toBe(2);
    await close();
  });

  test('a file whose upload is cut is uploaded when it can be', async () => {
    const { page, close } = await visit();
    await page.getByLabel('Workflow', { exact: true }).selectOption('flux2_turbo_controlnet');
    trouble('POST /api/upload/image', cutting, 1);
    const buffer = PNG.sync.write(new PNG({ width: 64, height: 64, fill: true }));
    await page.locator('input[type=file]').setInputFiles({ name: 'cut.png', mimeType: 'image/png', buffer });
    await page.getByAltText('The chosen image').waitFor();
    expect(count('POST /api/upload/image')).toBe(2);
    expect(await page.locator('.field-error').count()).toBe(0);
    await close();
  });

  test('of two workflow files that are dropped the last counts, however slow the answer to the first', async () => {
    const { page, close } = await visit('#/workflows');
    await page.getByText('Drop a file here').waitFor();
    const held: (() => void)[] = [];
    proxy.answer = (request, response) => {
      if (!request.url!.includes('/propose') || held.length > 0) return false;
      held.push(() => page504(request, response));
      return true;
    };
    const drop = (name: string) =>
      page.locator('input[type=file]').setInputFiles({
        name,
        mimeType: 'application/json',
        buffer: Buffer.from(JSON.stringify({ '1': { class_type: 'EmptyImage', inputs: { width: 64 } } })),
      });
    await drop('first.json');
    await page.getByText('Uploading').waitFor();
    await expect.poll(() => held.length).toBe(1);
    await drop('second.json');
    await page.getByRole('heading', { name: 'What second.json would become' }).waitFor();
    await page.getByText('Uploading').waitFor({ state: 'detached' });
    held[0]!();
    await page.getByRole('link', { name: 'Gallery' }).click();
    await page.goBack();
    await page.getByRole('heading', { name: 'What second.json would become' }).waitFor();
    await close();
  });

  test('on a machine whose clock is a day ahead what was just made was made just now', async () => {
    const { page, close } = await visit();
    await page.addInitScript('{ const now = Date.now; Date.now = () => now() + 86_400_000; }');
    await made('by a wrong clock');
    await page.goto(`${proxy.url}/#/gallery`);
    await page.reload();
    const tile = page.getByRole('link', { name: /by a wrong clock[^]*(sec|now)/ });
    await tile.waitFor();
    // A picture that the browser kept has the time of then.
    await page.route('**/thumbnail', async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, headers: { ...response.headers(), date: new Date(0).toUTCString() } });
    });
    const seen = page.waitForResponse('**/thumbnail');
    await page.reload();
    await (await seen).finished();
    await tile.waitFor();
    await close();
  });

  test('details go on after an answer that failed', async () => {
    const accepted = await fetch(`${shown.url}api/generate`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ prompt: 'followed', width: 256, height: 256, steps: 50 }),
    });
    const { job_id: id } = (await accepted.json()) as { job_id: string };
    const { page, close } = await visit(`#/gallery/${id}`);
    const dialog = page.getByRole('dialog');
    await dialog.getByText('Running', { exact: true }).first().waitFor();
    trouble(`GET /api/jobs/${id}`, failing, 1);
    await page.locator('.notice.fault').waitFor();
    await dialog.getByText('Done', { exact: true }).waitFor();
    await close();
  });

  test('what may not be sent twice is not, and its answer’s loss is said', async () => {
    trouble('DELETE /api/queue', page504);
    const { page, close } = await visit();
    await page.getByLabel('Prompt', { exact: true }).fill('cancelled into the dark');
    await page.getByText(/More settings/).click();
    await page.getByRole('textbox', { name: 'Steps' }).fill('50');
    await page.keyboard.press('Control+Enter');
    const card = page.getByRole('article', { name: 'cancelled into the dark' });
    await card.getByRole('button', { name: 'Cancel' }).click();
    await page.getByText('No answer came').waitFor();
    expect(count('DELETE /api/queue')).toBe(1);
    await page.getByText(AWAY).waitFor({ state: 'detached' });
    await close();
  });

  test.each([
    ['', 'GET /api/usage', 'Prompt'],
    ['', 'GET /api/workflows', 'Prompt'],
    ['', 'GET /api/workflows/', 'Prompt'],
  ])('#%s: what fails at %s says why, and is tried again', async (at, part, label) => {
    trouble(part, failing);
    const { page, axe, close } = await visit(at);
    const again = page.getByRole('button', { name: 'Try again' });
    await again.waitFor();
    await page.getByText('Internal error; request 7').first().waitFor();
    expect(await axe()).toEqual([]);
    proxy.answer = () => false;
    await again.click();
    await page.getByLabel(label, { exact: true }).waitFor();
    await close();
  });

  test.each([
    ['#/gallery', 'GET /api/jobs?', 1],
    ['#/workflows', 'details=true', 1],
    ['#/operations', '/api/admin/', 8],
    ['#/operations', 'GET /api/admin/webhooks', 1],
  ])('%s: what fails at %s says why, in its place, and is tried again', async (at, part, places) => {
    trouble(part, failing);
    const { page, axe, close } = await visit(at);
    const again = page.getByRole('button', { name: 'Try again' });
    await expect.poll(() => again.count()).toBe(places);
    await expect.poll(() => page.locator('.skeleton').count()).toBe(0);
    expect(await axe()).toEqual([]);
    proxy.answer = () => false;
    for (let left = places; left > 0; left -= 1) await again.first().click();
    await expect.poll(() => again.count()).toBe(0);
    await close();
  });

  test('how a job goes that could not be read is read when it is tried again', async () => {
    const { page, axe, close } = await visit();
    trouble('GET /api/status', failing);
    await page.getByLabel('Prompt', { exact: true }).fill('unread');
    await page.keyboard.press('Control+Enter');
    const card = page.getByRole('article', { name: 'unread' });
    await card.getByText('How it goes cannot be read').waitFor();
    expect(await axe()).toEqual([]);
    proxy.answer = () => false;
    await card.getByRole('button', { name: 'Try again' }).click();
    await card.getByText('Done').waitFor();
    expect(await card.getByText('Internal error').count()).toBe(0);
    await close();
  });

  test('details, and the choice of what was made, say why they are empty', async () => {
    trouble('GET /api/jobs/', failing);
    const one = await visit('#/gallery');
    await tilesOf(one).first().click();
    const dialog = one.page.getByRole('dialog');
    const again = dialog.getByRole('button', { name: 'Try again' });
    await again.waitFor();
    proxy.answer = () => false;
    await again.click();
    await dialog.getByText('Attempts').waitFor();
    await one.close();
    trouble('GET /api/outputs', failing);
    const other = await visit();
    await other.page.getByLabel('Workflow').selectOption('flux2_turbo_controlnet');
    await other.page.getByRole('button', { name: 'Made here' }).click();
    await again.waitFor({ state: 'detached' }).catch(() => undefined);
    const retry = other.page.getByRole('dialog').getByRole('button', { name: 'Try again' });
    await retry.waitFor();
    proxy.answer = () => false;
    await retry.click();
    await other.page.getByRole('dialog').locator('.tile img').first().waitFor();
    await other.close();
  });

  test('on a slow API each thing is asked for once at a time', async () => {
    const open = new Set<ServerResponse>();
    const asked = { queue: 0, hosts: 0, atOnce: 0 };
    proxy.answer = (request, response) => {
      if (request.url === '/api/admin/hosts') asked.hosts += 1;
      if (request.url !== '/api/admin/queue') return false;
      asked.queue += 1;
      open.add(response);
      asked.atOnce = Math.max(asked.atOnce, open.size);
      response.on('close', () => open.delete(response));
      return true;
    };
    // The clock is the page's own from its first moment: what was set by another would go on beside it.
    const { page, close } = await visit('docs/start.js');
    await page.clock.install();
    await page.goto(`${proxy.url}/#/operations`);
    await expect.poll(() => asked.queue).toBe(1);
    // A round has come when the hosts, which are asked for in the same rounds and answered, were asked for again.
    for (let rounds = 0; rounds < 4; rounds += 1) {
      const { hosts } = asked;
      await expect
        .poll(async () => {
          await page.clock.runFor(1000);
          return asked.hosts;
        })
        .toBeGreaterThan(hosts);
    }
    expect(asked).toMatchObject({ queue: 1, atOnce: 1 });
    // What has its answer is asked for again.
    for (const response of open) failing(response.req, response);
    await page.clock.runFor(6000);
    await expect.poll(() => asked.queue).toBeGreaterThan(1);
    expect(asked.atOnce).toBe(1);
    await close();
  });

  test('the gallery asks for what changed once at a time, and a new search gives up the one before', async () => {
    const search = await visit('#/gallery');
    const { page, close } = search;
    await expect.poll(() => tilesOf(search).count()).toBeGreaterThanOrEqual(3);
    const held: { url: string; isOpen: boolean }[] = [];
    proxy.answer = (request, response) => {
      if (!request.url!.startsWith('/api/jobs?')) return false;
      const one = { url: request.url!, isOpen: true };
      held.push(one);
      response.on('close', () => (one.isOpen = false));
      return !one.url.includes('search=number+1');
    };
    for (let looks = 0; looks < 4; looks += 1)
      await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))");
    await expect.poll(() => held.length).toBe(1);
    await page.getByLabel('Words of the prompt').fill('fox');
    await expect.poll(() => held.some(({ url }) => url.includes('search=fox'))).toBe(true);
    await expect.poll(() => held[0]!.isOpen).toBe(false);
    await page.getByLabel('Words of the prompt').fill('number 1');
    await expect.poll(() => tilesOf(search).allInnerTexts()).toEqual([expect.stringContaining('number 1')]);
    await expect.poll(() => held.filter(({ isOpen }) => isOpen).length).toBe(0);
    await close();
  });

  test('a tile that is not looked at any more gives its picture up', async () => {
    const open = new Set<string>();
    let asked = 0;
    proxy.answer = (request, response) => {
      if (!request.url!.endsWith('/thumbnail')) return false;
      asked += 1;
      open.add(request.url!);
      response.on('close', () => open.delete(request.url!));
      return true;
    };
    const search = await visit('#/gallery');
    await expect.poll(() => open.size).toBeGreaterThanOrEqual(3);
    await search.page.getByLabel('Words of the prompt').fill('nothing is called so');
    await expect.poll(() => open.size).toBe(0);
    proxy.answer = () => false;
    await search.page.getByRole('button', { name: 'Show all' }).click();
    await expect.poll(() => tilesOf(search).locator('img').count()).toBeGreaterThanOrEqual(3);
    expect(asked).toBeGreaterThanOrEqual(3);
    await search.close();
  });
});
