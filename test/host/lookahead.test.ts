// How many jobs a host holds: few, so that other hosts find work; more where it is alone and jobs are short.

import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { slotsFor } from '../../functions/host/claims/lookahead.ts';
import { UNSPREAD } from '../../functions/core/queue-spread.ts';
import { eventually } from '../api/support.ts';
import { QUICK } from '../support/quick.ts';
import { type Rig, startRig } from '../support/rig.ts';

let rig: Rig | undefined;
afterEach(() => rig?.close());

test.each([
  ['before the first job', 0, undefined, 2],
  ['with jobs of a minute', 0, 60, 2],
  ['with jobs of 50 ms', 0, 0.05, 4],
  ['with jobs of a moment', 0, 0.002, 8],
  ['with jobs of no time at all', 0, 0, 8],
  ['beside another host', 1, 0.002, 2],
])('two slots %s', (_, neighbours, jobSeconds, slots) => {
  expect(slotsFor(2, neighbours, jobSeconds)).toBe(slots);
});

test('what a host holds beyond its slots goes back once another host is there', async () => {
  rig = await startRig({
    workflows: join(import.meta.dirname, '../bench/workflows'),
    timings: { ...QUICK, spreadReadEvery: 200 },
  });
  const { store } = rig;
  const held = async (hostId: string) => {
    const states = await store.jobs.readStates(jobIds, { consistent: true });
    return states.filter(({ host, status }) => host === hostId && status !== 'completed').length;
  };
  const first = await rig.addHost();
  let jobIds: string[] = [];
  // How short they are depends on what else this machine does.
  await eventually(
    'jobs are short',
    async () => {
      await rig!.until(await rig!.generate({ workflow: 'instant', color: 1 }), ['completed']);
      const { jobSeconds } = (await store.hosts.read(first.running.hostId))!;
      return jobSeconds !== undefined && jobSeconds < 0.06;
    },
    30_000,
  );
  for (let seed = 0; seed < 8; seed += 1)
    jobIds.push(await rig.generate({ workflow: 'slow', ms: 1500, seed, color: seed }));
  await eventually('more than its two slots', async () => (await held(first.running.hostId)) >= 3);

  const second = await rig.addHost();
  await store.spread.write({ ...UNSPREAD, hosts: 2 }, undefined);
  await eventually(
    'each has its two',
    async () => (await held(second.running.hostId)) === 2 && (await held(first.running.hostId)) <= 2,
  );
  for (const jobId of jobIds) await rig.until(jobId, ['completed'], 20_000);
  const states = await store.jobs.readStates(jobIds, { consistent: true });
  expect(states.map(({ lostAttempts }) => lostAttempts)).toEqual(jobIds.map(() => 0));
}, 40_000);
