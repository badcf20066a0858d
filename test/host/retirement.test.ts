// A GPU machine ends itself: idle, retired by the controller, or taken by EC2. The metadata service and the host are
// real; what ends the machine is counted.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Retirement, watchRetirement } from '../../functions/host/machine/retirement.ts';
import { createLog } from '../../functions/log.ts';
import { createInstanceMetadata } from '../../functions/machines/instance.ts';
import { QUICK } from '../support/quick.ts';
import { type Rig, startRig, type TestHost } from '../support/rig.ts';

let rig: Rig;
let host: TestHost;
let ends: number;
let refuseEnds: number;
let announced: string | undefined;
let silent: boolean;
let warm: boolean | 'no answer';
let origin: string;
let closers: (() => Promise<unknown>)[];

/** As IMDSv2 answers: a token first, 404 while nothing is announced. */
const metadata = createServer((req, res) => {
  if (silent) req.socket.destroy();
  else if (req.method === 'PUT' && req.url === '/latest/api/token') res.end('token-1');
  else if (req.headers['x-aws-ec2-metadata-token'] !== 'token-1') res.writeHead(401).end();
  else if (req.url === '/latest/meta-data/spot/instance-action' && announced !== undefined)
    res.end(JSON.stringify({ action: 'terminate', time: announced }));
  else res.writeHead(404).end();
});

beforeEach(async () => {
  ends = 0;
  refuseEnds = 0;
  announced = undefined;
  silent = false;
  warm = false;
  closers = [];
  await new Promise<void>((resolve) => void metadata.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(metadata.address() as AddressInfo).port}`;
  rig = await startRig({ workflows: 'test/workflows', timings: QUICK });
  host = await rig.addHost({ release: 'r1' });
});
afterEach(async () => {
  for (const close of closers) await close();
  await rig.close();
  metadata.closeAllConnections();
  await new Promise((resolve) => void metadata.close(resolve));
});

function watch(idleLimit: number): Retirement {
  const retirement = watchRetirement({
    host: host.running,
    instance: createInstanceMetadata(origin),
    end: () => {
      if (refuseEnds-- > 0) return Promise.reject(new Error('Throttling'));
      ends += 1;
      return Promise.resolve();
    },
    isWarm: () => (warm === 'no answer' ? Promise.reject(new Error('Throttling')) : Promise.resolve(warm)),
    idleLimit,
    log: createLog('test', 'error', () => undefined),
    period: 20,
  });
  closers.push(() => retirement.stop());
  return retirement;
}

const NEVER = 3_600_000;
const item = () => rig.store.hosts.read(host.running.hostId);
const slow = (ms: number) => rig.generate({ workflow: 'slow', ms });

test('an idle machine drains and ends; one that works does not', async () => {
  const jobId = await slow(1500);
  await rig.until(jobId, ['processing']);
  watch(1000);
  await rig.until(jobId, ['completed']);
  expect(ends).toBe(0);
  await expect.poll(() => ends, { timeout: 6000 }).toBeGreaterThan(0);
  expect(await item()).toBeUndefined();
  // It claims nothing until it is gone.
  const late = await slow(1);
  expect(host.running.offer(late)).toBe('no-slot');
  expect((await rig.store.jobs.readState(late))!.status).toBe('queued');
}, 20_000);

test('an idle machine that is to stay warm stays, takes jobs, and ends when it need not any more', async () => {
  warm = true;
  watch(0);
  const jobId = await slow(300);
  await rig.until(jobId, ['completed']);
  expect(await item()).toMatchObject({ state: 'ready' });
  expect(ends).toBe(0);
  warm = false;
  await expect.poll(() => ends, { timeout: 6000 }).toBeGreaterThan(0);
}, 20_000);

test('one that is not told whether to stay ends: it would cost money for ever', async () => {
  warm = 'no answer';
  watch(0);
  await expect.poll(() => ends, { timeout: 6000 }).toBeGreaterThan(0);
});

test('an end that is refused is asked for again', async () => {
  refuseEnds = 3;
  watch(0);
  await expect.poll(() => ends, { timeout: 6000 }).toBeGreaterThan(0);
});

test('a machine that the controller retires finishes what runs, then ends', async () => {
  // Longer than two heartbeats.
  const jobId = await slow(8000);
  await rig.until(jobId, ['processing']);
  expect(await rig.store.hosts.retire(host.running.hostId)).toBe(true);
  watch(NEVER);
  await expect.poll(async () => (await item())?.state, { timeout: 8000 }).toBe('draining');
  await rig.until(jobId, ['completed'], 15_000);
  await expect.poll(() => ends, { timeout: 6000 }).toBeGreaterThan(0);
  expect(await rig.store.jobs.readState(jobId)).toMatchObject({ attempt: 1, lostAttempts: 0 });
}, 30_000);

test('a spot machine that is announced to go drains, and is not replaced unasked', async () => {
  const running = await slow(1200);
  await rig.until(running, ['processing']);
  const waiting = await slow(60_000);
  await expect.poll(async () => (await rig.store.jobs.readState(waiting))?.work).toBe('held');
  announced = '2026-11-23T12:00:00Z';
  watch(NEVER);
  // What has not started goes back at once, what runs is finished.
  await expect.poll(async () => (await rig.store.jobs.readState(waiting))?.work).toBe('waiting');
  await rig.until(running, ['completed']);
  await expect.poll(item).toBeUndefined();
  await expect.poll(() => ends).toBeGreaterThan(0);
}, 20_000);

test('a silent metadata service ends nothing', async () => {
  silent = true;
  watch(NEVER);
  await rig.until(await slow(300), ['completed']);
  expect(await item()).toMatchObject({ state: 'ready', release: 'r1' });
  expect(ends).toBe(0);
});
