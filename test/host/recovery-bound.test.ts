// Recovery has a bound, and what goes wrong costs only those whom it concerns: a job that kills ComfyUI ends after
// three lost attempts and takes nobody with it; a host that cannot take a job costs it no attempt.

import { cp, mkdtemp, rm } from 'node:fs/promises';
import { createServer, request as ask } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type SimulatedComfyUI, startSimulatedComfyUI } from '../../simulated-comfyui/server.ts';
import { hostItem } from '../support/host-item.ts';
import { type Rig, startRig } from '../support/rig.ts';

const MODEL = 'Flux2TurboComfyv2.safetensors';

let rig: Rig;
let workflows: string;
let lines: string[];
let comfyuis: { close(): Promise<void> }[];
beforeEach(async () => {
  // The product's own, and one that takes as long as it is told.
  workflows = await mkdtemp(join(tmpdir(), 'workflows-'));
  await cp('workflows', workflows, { recursive: true });
  for (const file of ['slow.json', 'slow.inputs.json'])
    await cp(join('test/bench/workflows', file), join(workflows, file));
  lines = [];
  comfyuis = [];
  rig = await startRig({ workflows, onLog: (line) => void lines.push(line) });
});
afterEach(async () => {
  await rig.close();
  for (const comfyui of comfyuis) await comfyui.close();
  await rm(workflows, { recursive: true, force: true });
});

const slow = (ms: number) => rig.generate({ workflow: 'slow', ms });
const state = async (jobId: string) => (await rig.store.jobs.readState(jobId))!;

describe('a job that kills ComfyUI each time', () => {
  let comfyui: SimulatedComfyUI;
  beforeEach(async () => {
    comfyui = await startSimulatedComfyUI({ stepMs: 1 });
    comfyuis.push({ close: () => comfyui.close() });
  });

  test('ends as failed after three faults; what waits with it is made', async () => {
    await rig.addHost({ comfyui });
    const poison = await slow(60_000);
    await rig.until(poison, ['processing']);
    // One waits behind it in ComfyUI, the others in the table.
    const others = await Promise.all([slow(1), slow(1), slow(1)]);
    await expect
      .poll(async () => (await Promise.all(others.map(state))).filter(({ work }) => work === 'held').length)
      .toBe(1);
    for (const lostAttempts of [0, 1, 2]) {
      await expect
        .poll(() => state(poison), { timeout: 15_000 })
        .toMatchObject({ status: 'processing', lostAttempts });
      await comfyui.close();
      comfyui = await startSimulatedComfyUI({ stepMs: 1, port: comfyui.port });
    }
    const ended = await rig.until(poison, ['failed', 'completed'], 15_000);
    expect(ended['status']).toBe('failed');
    expect(String(ended['error'])).toMatch(/3 times.*ComfyUI restarted or forgot it/);
    expect(await state(poison)).toMatchObject({ lostAttempts: 3, errorCode: 'lost_too_often' });
    for (const jobId of others) {
      await rig.until(jobId, ['completed'], 15_000);
      // It cost them no fault: they had not started when ComfyUI died.
      expect(await state(jobId)).toMatchObject({ lostAttempts: 0 });
    }
  }, 60_000);

  test('at the very moment of its start, ends as well; what waits with it is made', async () => {
    await comfyui.close();
    comfyui = await startSimulatedComfyUI({
      stepMs: 1,
      watcher: {
        started: ([, , graph]) => {
          if (JSON.stringify(graph).includes('"ms":60000')) setImmediate(() => comfyui.faults.forget());
        },
      },
    });
    await rig.addHost({ comfyui });
    const poison = await slow(60_000);
    const others = await Promise.all([slow(1), slow(1), slow(1)]);
    expect(await rig.until(poison, ['failed', 'completed'], 20_000)).toMatchObject({
      status: 'failed',
      attempts: 3,
    });
    for (const jobId of others) await rig.until(jobId, ['completed'], 15_000);
  }, 60_000);
});

describe('a host that cannot take a job costs it no attempt', () => {
  /** The status of every offer so far, of one host. */
  const offers = (hostId: string) =>
    lines
      .map((line) => JSON.parse(line) as { event: string; hostId?: string; status?: number })
      .filter((line) => line.event === 'job.offered' && line.hostId === hostId)
      .map(({ status }) => status);

  test('full: it says so, the job waits, and another takes it', async () => {
    const full = await rig.addHost({ slots: 1 });
    const long = await slow(5000);
    await rig.until(long, ['processing']);
    const jobIds = await Promise.all([slow(1), slow(1), slow(1)]);
    await expect.poll(() => offers(full.running.hostId), { timeout: 5000 }).toContain(429);
    for (const jobId of jobIds)
      expect(await state(jobId)).toMatchObject({ status: 'queued', work: 'waiting', attempt: 0 });
    await rig.addHost();
    rig.nudge();
    for (const jobId of jobIds) expect(await rig.until(jobId, ['completed'])).toMatchObject({ attempts: 1 });
    expect(await rig.until(long, ['completed'])).toMatchObject({ attempts: 1 });
  }, 30_000);

  test('deaf: it is asked in vain, the job waits, and another takes it', async () => {
    // As a stopped process looks for 45 seconds: alive in the table, and nothing listening at its intake.
    await rig.store.hosts.put(hostItem('deaf', rig.store.now(), { slots: 10 }));
    const jobIds = await Promise.all([slow(1), slow(1), slow(1)]);
    await expect.poll(() => offers('deaf'), { timeout: 5000 }).toContain(0);
    for (const jobId of jobIds)
      expect(await state(jobId)).toMatchObject({ status: 'queued', work: 'waiting', attempt: 0 });
    await rig.addHost();
    for (const jobId of [...jobIds, await slow(1)])
      expect(await rig.until(jobId, ['completed'])).toMatchObject({ attempts: 1 });
  }, 30_000);

  test('without the model: the job waits unclaimed while those behind it run, until a host has it', async () => {
    const lacking = await startSimulatedComfyUI({ stepMs: 1 });
    comfyuis.push(lacking);
    const shown = await without(MODEL, lacking);
    comfyuis.push(shown);
    // Once it is there, such a job is refused: none of the hosts has what it needs.
    const wanting = await rig.generate();
    const poor = await rig.addHost({ comfyui: { ...lacking, url: shown.url } });
    const behind = await Promise.all([slow(1), slow(1), slow(1)]);
    for (const jobId of behind) expect(await rig.until(jobId, ['completed'])).toMatchObject({ attempts: 1 });
    // It was offered and looked at, and stays where it was.
    await expect.poll(() => offers(poor.running.hostId).length, { timeout: 5000 }).toBeGreaterThan(0);
    expect(lines.join('')).toContain(`"missing":"${MODEL}"`);
    expect(await state(wanting)).toMatchObject({ status: 'queued', work: 'waiting', attempt: 0 });

    const rich = await rig.addHost();
    expect(await rig.until(wanting, ['completed'])).toMatchObject({ attempts: 1 });
    expect(await state(wanting)).toMatchObject({ lostAttempts: 0 });
    const posted = rich.comfyui.requests.filter(
      ({ method, path }) => method === 'POST' && path.endsWith('/prompt'),
    );
    expect(posted).toHaveLength(1);
  }, 30_000);
});

/** A ComfyUI as it looks where a model file was never downloaded: its lists lack it. Without a socket. */
async function without(
  model: string,
  comfyui: SimulatedComfyUI,
): Promise<{ url: string; close(): Promise<void> }> {
  const server = createServer((req, res) => {
    const passed = ask(
      `${comfyui.url}${req.url ?? ''}`,
      { method: req.method, headers: req.headers },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('end', () => {
          const whole = Buffer.concat(chunks);
          const isText = String(answer.headers['content-type']).includes('json');
          const body = isText
            ? Buffer.from(whole.toString().replaceAll(`"${model}"`, '"another.safetensors"'))
            : whole;
          const { 'content-length': _, 'transfer-encoding': __, ...headers } = answer.headers;
          res.writeHead(answer.statusCode!, { ...headers, 'content-length': body.length }).end(body);
        });
      },
    );
    passed.on('error', () => res.destroy());
    req.pipe(passed);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
