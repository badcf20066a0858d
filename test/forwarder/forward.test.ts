// Offers: to whom, and what becomes of those that are lost, doubled, late or forged. None costs a job an attempt.

import { afterEach, beforeEach, expect, test } from 'vitest';
import { modelsTagOf } from '../../functions/core/affinity.ts';
import type { Host } from '../../functions/core/host.ts';
import { sign, SIGNATURE_HEADER } from '../../functions/core/signature.ts';
import { forward } from '../../functions/forwarder/forward.ts';
import { createForwarder } from '../../functions/forwarder/forwarder.ts';
import { listen, type Listening } from '../../functions/runtime/listen.ts';
import { hostItem } from '../support/host-item.ts';
import { type Rig, startRig } from '../support/rig.ts';

let rig: Rig;
const intakes: Listening[] = [];
beforeEach(async () => {
  // These tests poll for themselves.
  rig = await startRig({ forward: false });
});
afterEach(async () => {
  await Promise.all(intakes.splice(0).map((intake) => intake.close()));
  await rig.close();
});

interface Intake {
  offered: string[];
  host: Host;
}

/** A host of which there is only the intake, which answers `status`; undefined: never. */
async function intake(hostId: string, status: number | undefined, more: Partial<Host> = {}): Promise<Intake> {
  const offered: string[] = [];
  const listening = await listen(
    (req, res) => {
      let body = '';
      req.on('data', (chunk: Buffer) => (body += chunk.toString()));
      req.on('end', () => {
        offered.push((JSON.parse(body) as { jobId: string }).jobId);
        if (status !== undefined) res.writeHead(status).end();
      });
    },
    '127.0.0.1',
    0,
  );
  intakes.push(listening);
  const host = hostItem(hostId, rig.store.now(), {
    url: `http://127.0.0.1:${listening.port}`,
    ...more,
  });
  await rig.store.hosts.putIntake(hostId, 'secret', rig.store.now());
  await rig.store.hosts.put(host);
  return { offered, host };
}

const poll = () =>
  forward({ jobs: rig.store.jobs, hosts: rig.store.hosts, log: rig.log, now: rig.store.now });

test('the oldest jobs are offered first, no more than there are slots', async () => {
  const jobs: string[] = [];
  for (let index = 0; index < 4; index += 1) jobs.push(await rig.generate());
  const { offered } = await intake('a', 202);
  await poll();
  expect(offered).toEqual(jobs.slice(0, 2));
});

test('a host with the models in memory comes before a less busy one, a full one comes last', async () => {
  const loaded = modelsTagOf(rig.templates.values().next().value!.graph)!;
  const full = await intake('full', 202, { held: 2, loaded });
  const idle = await intake('idle', 202);
  const warm = await intake('warm', 202, { held: 1, loaded });
  const first = await rig.generate();
  const second = await rig.generate();
  await poll();
  expect([warm.offered, idle.offered, full.offered]).toEqual([[first], [second], []]);
});

test('a host that seems full since its last heartbeat is asked all the same', async () => {
  const { offered } = await intake('full', 202, { held: 2 });
  const jobId = await rig.generate();
  await poll();
  expect(offered).toEqual([jobId]);
});

test.each([
  ['says that it has no slot', 429],
  ['breaks', 500],
  ['never answers', undefined],
])('when a host %s the next one is asked, and no attempt is spent', async (_, status) => {
  const deaf = await intake('deaf', status, { held: -5 });
  const other = await intake('other', 202);
  const jobId = await rig.generate();
  await poll();
  expect([deaf.offered, other.offered]).toEqual([[jobId], [jobId]]);
  expect(await rig.store.jobs.readState(jobId)).toMatchObject({ status: 'queued', attempt: 0 });
});

test('neither dead, draining nor ComfyUI-less hosts are asked', async () => {
  const out = [
    await intake('dead', 202, { seenAt: rig.store.now() - 46_000 }),
    await intake('draining', 202, { state: 'draining' }),
    await intake('silent', 202, { comfyui: false }),
  ];
  await rig.generate();
  await poll();
  expect(out.map(({ offered }) => offered)).toEqual([[], [], []]);
});

test('a thousand nudges at once are one poll and one more', async () => {
  const { offered } = await intake('a', 202);
  await rig.generate();
  const forwarder = createForwarder({
    jobs: rig.store.jobs,
    hosts: rig.store.hosts,
    log: rig.log,
    now: rig.store.now,
  });
  for (let index = 0; index < 1000; index += 1) forwarder.nudge();
  await expect.poll(() => offered.length).toBe(2);
});

test('without a forwarder, hosts find the jobs themselves', async () => {
  const host = await rig.addHost();
  await host.closeIntake();
  await rig.until(await rig.generate(), ['completed']);
});

test('an intake takes only what its own secret signed, a short time ago', async () => {
  const { running } = await rig.addHost();
  const { url } = (await rig.store.hosts.read(running.hostId))!;
  const jobId = await rig.generate();
  await rig.until(jobId, ['completed']);
  const body = JSON.stringify({ jobId });
  const post = async (signature: string | undefined, text = body) => {
    const headers = new Headers(signature === undefined ? {} : { [SIGNATURE_HEADER]: signature });
    return (await fetch(`${url}/jobs`, { method: 'POST', headers, body: text })).status;
  };
  const now = rig.store.now();
  const good = sign(running.intakeSecret, body, now);
  expect(await post(undefined)).toBe(401);
  expect(await post(sign('another', body, now))).toBe(401);
  expect(await post(sign(running.intakeSecret, body, now - 6 * 60_000))).toBe(401);
  expect(await post(good, JSON.stringify({ jobId: crypto.randomUUID() }))).toBe(401);
  const before = await rig.store.jobs.readState(jobId);
  // A replay is only another offer.
  expect([202, 409]).toContain(await post(good));
  expect([202, 409]).toContain(await post(good));
  await rig.until(await rig.generate(), ['completed']);
  expect(await rig.store.jobs.readState(jobId)).toEqual(before);
  expect(await post(sign(running.intakeSecret, '{}', now), '{}')).toBe(400);
});
