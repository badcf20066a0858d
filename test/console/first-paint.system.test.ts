// What a first visit costs over a slow connection, as Lighthouse's slow 4G: 1.6 Mbit/s, 150 ms to the server and back. Measured by
// DevTools' protocol; the best of a few visits, since other tests run beside.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Console, hasChromium, openConsole } from './console.ts';

const SLOW_4G = { offline: false, latency: 150, downloadThroughput: 200_000, uploadThroughput: 94_000 };
const VISITS = 4;

interface Paint {
  /** ms after the visit began. */
  first: number;
  /** Cumulative layout shift. */
  shift: number;
  /** Of scripts, as they went over the wire. */
  scriptBytes: number;
}

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
    await page.addInitScript(`
      globalThis.shift = 0;
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) if (!entry.hadRecentInput) globalThis.shift += entry.value;
      }).observe({ type: 'layout-shift', buffered: true });
    `);
    await page.goto(shown.url);
    await page.getByLabel('Prompt', { exact: true }).waitFor();
    const first = await page.evaluate<number>(
      "performance.getEntriesByName('first-contentful-paint')[0].startTime",
    );
    const shift = await page.evaluate<number>('globalThis.shift');
    await close();
    return { first, shift, scriptBytes };
  }

  test('shows something within a second, moves nothing, and brings little script', async () => {
    const paints: Paint[] = [];
    for (let visit = 0; visit < VISITS; visit += 1) paints.push(await paint());
    console.log(
      paints.map(({ first, shift, scriptBytes }) => `${first} ms, ${shift}, ${scriptBytes} B`).join('; '),
    );
    expect(Math.min(...paints.map(({ first }) => first))).toBeLessThanOrEqual(1000);
    expect(Math.min(...paints.map(({ shift }) => shift))).toBe(0);
    expect(paints[0]!.scriptBytes).toBeLessThan(150_000);
  });
});
