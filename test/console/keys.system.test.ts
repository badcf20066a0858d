// Two persons at one browser, one after the other and at the same time: what is of a key goes with it.

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Proxy, startProxy } from '../support/proxy.ts';
import { type Console, hasChromium, openConsole, type Visit } from './console.ts';

describe.skipIf(!hasChromium)('a key and another', () => {
  let shown: Console;
  let proxy: Proxy;
  let alice: string;
  let bob: string;
  beforeAll(async () => {
    shown = await openConsole({ API_KEYS: 'required' });
    proxy = await startProxy(shown.url.slice(0, -1));
    alice = await shown.key('alice');
    bob = await shown.key('bob');
  });
  afterAll(async () => {
    await proxy?.close();
    await shown?.close();
  });
  afterEach(() => {
    proxy.answer = () => false;
  });

  const field = ({ page }: Pick<Visit, 'page'>) => page.getByLabel('Key', { exact: true });
  const prompt = ({ page }: Pick<Visit, 'page'>) => page.getByLabel('Prompt', { exact: true });
  async function enter(visit: Pick<Visit, 'page'>, key: string, onDevice = false): Promise<void> {
    await field(visit).fill(key);
    if (onDevice) await visit.page.getByLabel('Keep it on this device').check();
    await visit.page.keyboard.press('Enter');
    await prompt(visit).waitFor();
  }
  const leave = ({ page }: Pick<Visit, 'page'>) =>
    page.getByRole('button', { name: 'Forget the key' }).click();
  /** What the browser keeps. */
  const kept = ({ page }: Pick<Visit, 'page'>) =>
    page.evaluate<string>('JSON.stringify([{ ...localStorage }, { ...sessionStorage }])');

  test('who leaves leaves nothing: no job, no form, no picture, no search', async () => {
    const visit = await shown.visit();
    const { page, close } = visit;
    await enter(visit, alice);
    await prompt(visit).fill('of alice alone');
    await page.keyboard.press('Control+Enter');
    await page.getByRole('article', { name: 'of alice alone' }).getByText('Done').waitFor();
    await prompt(visit).fill('half typed by alice');
    await page.goto(`${shown.url}#/gallery?search=alice`);
    await page
      .getByRole('link', { name: /of alice alone/ })
      .locator('img')
      .waitFor();
    const picture = await page
      .getByRole('link', { name: /of alice alone/ })
      .locator('img')
      .getAttribute('src');
    await leave(visit);
    await field(visit).waitFor();
    expect(page.url()).not.toContain('alice');
    expect(await kept(visit)).not.toMatch(/of alice alone|half typed/);
    await enter(visit, bob);
    expect(await prompt(visit).inputValue()).toBe('');
    expect(await page.getByRole('article').count()).toBe(0);
    await page.goto(`${shown.url}#/gallery`);
    await page.getByText('There is nothing here yet.').waitFor();
    expect(await page.getByLabel('Words of the prompt').inputValue()).toBe('');
    const look = `new Promise((resolve) => {
      const image = new Image();
      image.onload = () => resolve('there');
      image.onerror = () => resolve('gone');
      image.src = '${picture}';
    })`;
    expect(await page.evaluate(look)).toBe('gone');
    await close();
  });

  test('one that may only look is told so before it is tried, and changes nothing', async () => {
    const looks = await shown.key('alice', 'read');
    const accepted = await fetch(`${shown.url}api/generate`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${alice}` },
      body: JSON.stringify({ prompt: 'to look at' }),
    });
    const { job_id: id } = (await accepted.json()) as { job_id: string };
    const visit = await shown.visit();
    const { page, axe, close } = visit;
    const changes: string[] = [];
    page.on('request', (request) => request.method() !== 'GET' && changes.push(request.url()));
    await enter(visit, looks);
    await page.getByText(/lacks the scope generate/).waitFor();
    const queue = page.getByRole('button', { name: 'Queue', exact: true });
    expect(await queue.getAttribute('aria-disabled')).toBe('true');
    await prompt(visit).fill('never sent');
    await page.keyboard.press('Control+Enter');
    await queue.click({ force: true });
    expect(await axe()).toEqual([]);

    await page.goto(`${shown.url}#/gallery/${id}`);
    const details = page.getByRole('dialog');
    await details.getByText(/lacks the scope generate/).waitFor();
    for (const name of ['Vary the seed', 'Delete']) {
      const button = details.getByRole('button', { name });
      await expect.poll(() => button.getAttribute('aria-disabled')).toBe('true');
      await button.click({ force: true });
    }
    expect(await page.getByRole('dialog').count()).toBe(1);
    expect(changes).toEqual([]);
    await close();
  });

  test('what is on its way under the former key is dropped: its answer, and its 401', async () => {
    const visit = await shown.visit({ through: proxy.url });
    const { page, close } = visit;
    await enter(visit, alice);
    const held: { path: string; answer: () => void }[] = [];
    const late = (path: string, status: number, body: object) => {
      proxy.answer = (request, response) => {
        if (!request.url!.startsWith(path) || request.headers.authorization !== `Bearer ${alice}`)
          return false;
        const answer = () => {
          if (response.destroyed) return;
          response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
        };
        held.push({ path, answer });
        return true;
      };
    };
    late('/api/workflows', 401, { error: 'No such key', code: 'unauthorized' });
    await page.goto(`${proxy.url}/#/workflows`);
    await expect.poll(() => held.length).toBeGreaterThan(0);
    await leave(visit);
    await enter(visit, bob);
    for (const { answer } of held) answer();
    await page.reload();
    await prompt(visit).waitFor();
    expect(await kept(visit)).toContain(bob);
    await close();
  });

  test('a key that ends takes nothing from its owner, who has another; and nothing is shown to another owner', async () => {
    const first = await shown.key('carol');
    const second = await shown.key('carol');
    const visit = await shown.visit({ through: proxy.url });
    const { page, close } = visit;
    /** As if it had been revoked a minute ago. */
    const end = async (key: string) => {
      proxy.answer = (request, response) => {
        if (request.headers.authorization !== `Bearer ${key}`) return false;
        const said = { error: 'No such key', code: 'unauthorized' };
        response.writeHead(401, { 'content-type': 'application/json' }).end(JSON.stringify(said));
        return true;
      };
      await page.goto(`${proxy.url}/#/gallery`);
      await field(visit).waitFor();
      await page.goto(`${proxy.url}/#/`);
    };
    await enter(visit, first);
    await prompt(visit).fill('carol goes on');
    await page.keyboard.press('Control+Enter');
    await page.getByRole('article', { name: 'carol goes on' }).getByText('Done').waitFor();
    await prompt(visit).fill('half typed by carol');
    await end(first);
    await enter(visit, second);
    expect(await prompt(visit).inputValue()).toBe('half typed by carol');
    await page.getByRole('article', { name: 'carol goes on' }).getByText('Done').waitFor();
    await end(second);
    await enter(visit, bob);
    expect(await prompt(visit).inputValue()).toBe('');
    expect(await page.getByRole('article').count()).toBe(0);
    expect(await kept(visit)).not.toMatch(/carol goes on|half typed by carol/);
    await close();
  });

  test('two owners in two tabs keep their forms apart, and the device’s key ends in each of its tabs', async () => {
    const first = await shown.visit();
    await enter(first, alice, true);
    await prompt(first).fill('typed by alice');
    const second = { page: await first.page.context().newPage() };
    await second.page.goto(shown.url);
    await expect.poll(() => prompt(second).inputValue()).toBe('typed by alice');
    const third = { page: await first.page.context().newPage() };
    await third.page.addInitScript(`sessionStorage.setItem('api-key', '${bob}')`);
    await third.page.goto(shown.url);
    await third.page.getByText('bob', { exact: true }).waitFor();
    expect(await prompt(third).inputValue()).toBe('');
    await prompt(third).fill('typed by bob');
    expect(await prompt(first).inputValue()).toBe('typed by alice');
    await leave(first);
    await field(second).waitFor();
    expect(await prompt(third).inputValue()).toBe('typed by bob');
    await first.close();
  });

  test('a key without the scope is told so, and may try again or leave', async () => {
    const visit = await shown.visit({ through: proxy.url });
    const { page, axe, close } = visit;
    proxy.answer = (request, response) => {
      if (request.url !== '/api/usage' || request.headers.authorization !== `Bearer ${alice}`) return false;
      const said = { error: 'This key lacks the scope read', code: 'forbidden', details: { scope: 'read' } };
      response.writeHead(403, { 'content-type': 'application/json' }).end(JSON.stringify(said));
      return true;
    };
    await field(visit).fill(alice);
    await page.keyboard.press('Enter');
    await page.getByText('This key lacks the scope read').waitFor();
    expect(await axe()).toEqual([]);
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByText('This key lacks the scope read').waitFor();
    await leave(visit);
    await enter(visit, bob);
    await close();
  });
});
