// What a first visit costs over a slow connection, as Lighthouse's slow 4G: 1.6 Mbit/s, 150 ms to the server and back. Measured by
// DevTools' protocol; the best of a few visits, since other tests run beside.

import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Page } from 'playwright-core';
import { startProxy } from '../support/proxy.ts';
import { type Console, hasChromium, openConsole } from './console.ts';

const SLOW_4G = { offline: false, latency: 150, downloadThroughput: 200_000, uploadThroughput: 94_000 };
const VISITS = 4;

interface Paint {
  /** ms after the visit began. */
  first: number;
  /** The form is there, ms. */
  form: number;
  /** Cumulative layout shift. */
  shift: number;
  /** Of scripts, as they went over the wire. */
  scriptBytes: number;
}

/** From the page's first moment: what moves, and when the form is there. */
const WATCH = `
  globalThis.shift = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) globalThis.shift += entry.value;
  }).observe({ type: 'layout-shift', buffered: true });
  new MutationObserver((_, observer) => {
    if (!document.querySelector('form')) return;
    globalThis.formAt = performance.now();
    observer.disconnect();
  }).observe(document, { subtree: true, childList: true });
`;
const shiftOf = (page: Page) => page.evaluate<number>('globalThis.shift');

describe.skipIf(!hasChromium)('a first visit over slow 4G', () => {
  let shown: Console;
  beforeAll(async () => {
    shown = await openConsole();
  });
  afterAll(() => shown?.close());

  async function paint(): Promise<Paint> {
    const { page, close } = await shown.visit({ at: 'docs/start.js' });
    const protocol = await page.context().newCDPSession(page);
    await protocol.send('Network.enable');
    await protocol.send('Network.setCacheDisabled', { cacheDisabled: true });
    await protocol.send('Network.emulateNetworkConditions', SLOW_4G);
    const scripts = new Set<string>();
    let scriptBytes = 0;
    protocol.on('Network.responseReceived', ({ requestId, type }) => {
      if (type === 'Script') scripts.add(requestId);
    });
    protocol.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
      if (scripts.has(requestId)) scriptBytes += encodedDataLength;
    });
    await page.addInitScript(WATCH);
    await page.goto(shown.url);
    await page.getByLabel('Prompt', { exact: true }).waitFor();
    const first = await page.evaluate<number>(
      "performance.getEntriesByName('first-contentful-paint')[0].startTime",
    );
    const form = await page.evaluate<number>('globalThis.formAt');
    const shift = await shiftOf(page);
    await close();
    return { first, form, shift, scriptBytes };
  }

  test('shows something within a second, moves nothing, and brings little script', async () => {
    const paints: Paint[] = [];
    for (let visit = 0; visit < VISITS; visit += 1) paints.push(await paint());
    console.log(
      paints
        .map(
          ({ first, form, shift, scriptBytes }) => `${first} ms, form ${form} ms, ${shift}, ${scriptBytes} B`,
        )
        .join('; '),
    );
    expect(Math.min(...paints.map(({ first }) => first))).toBeLessThanOrEqual(1000);
    expect(Math.min(...paints.map(({ shift }) => shift))).toBe(0);
    expect(paints[0]!.scriptBytes).toBeLessThan(150_000);
  });

  test.each([
    ['wide', { viewport: { width: 1280, height: 720 } }],
    ['narrow', { viewport: { width: 390, height: 844 }, hasTouch: true }],
  ])('the form waits for no host, and what is said of the hosts later moves nothing: %s', async (_, size) => {
    const hosts = await startProxy(shown.url.slice(0, -1));
    const asked = new Promise<(state: string) => void>((resolve) => {
      hosts.answer = (request, response) => {
        if (request.url !== '/api/system') return false;
        resolve((comfyui) => void answerWith(comfyui, response));
        return true;
      };
    });
    const { page, axe, close } = await shown.visit({ at: 'docs/start.js', ...size });
    await page.addInitScript(WATCH);
    await page.goto(hosts.url);
    await page.getByLabel('Prompt', { exact: true }).waitFor();
    (await asked)('silent');
    await page.getByText('does not answer: jobs wait').waitFor();
    expect(await axe()).toEqual([]);
    expect(await shiftOf(page)).toBe(0);
    await close();
    await hosts.close();
  });

  /** As the API says it of its hosts, but for the state of their ComfyUIs. */
  async function answerWith(comfyui: string, response: ServerResponse): Promise<void> {
    const said = (await (await fetch(`${shown.url}api/system`)).json()) as { hosts: object[] };
    const hosts = said.hosts.map((one) => ({ ...one, comfyui }));
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ ...said, hosts }));
  }
});
