// How many jobs a host holds: few, so that other hosts find work; more where it is alone and jobs are short.

import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { slotsFor } from '../../functions/host/claims/lookahead.ts';
import { eventually } from '../api/support.ts';
import { QUICK } from '../support/quick.ts';
import { type Rig, startRig } from '../support/rig.ts';

let rig: Rig | undefined;
afterEach(() => rig?.close());

test.each([
  ['before the first job', true, undefined, 2],
  ['with jobs of a minute', true, 60, 2],
  ['with jobs of 50 ms', true, 0.05, 4],
  ['with jobs of a moment', true, 0.002, 8],
  ['with jobs of no time at all', true, 0, 8],
  ['where others may claim', false, 0.002, 2],
])('two slots %s', (_, alone, jobSeconds, slots) => {
  expect(slotsFor(2, alone, jobSeconds)).toBe(slots);
});

test.each([
  ['alone: more than its two slots', true],
  ['one of several: never more', false],
])(
  'a host that has run short jobs, %s',
  async (_, isAlone) => {
    rig = await startRig({ workflows: join(import.meta.dirname, '../bench/workflows'), timings: QUICK });
    const { store } = rig;
    const { running } = await rig.addHost({ isAlone });
    // How short they are depends on what else this machine does.
    await eventually(
      'jobs are short',
      async () => {
        await rig!.until(await rig!.generate({ workflow: 'instant', color: 1 }), ['completed']);
        const { jobSeconds } = (await store.hosts.read(running.hostId))!;
        return jobSeconds !== undefined && jobSeconds < 0.06;
      },
      30_000,
    );
    const jobIds: string[] = [];
    for (let seed = 0; seed < 4; seed += 1)
      jobIds.push(await rig.generate({ workflow: 'slow', ms: 3000, seed, color: seed }));
    const held = async () => {
      const states = await store.jobs.readStates(jobIds, { consistent: true });
      return states.filter(({ host }) => host !== undefined).length;
    };
    // The first runs for three seconds; a host claims what it has slots for within a few ms.
    await eventually('two are held', async () => (await held()) >= 2);
    if (isAlone) await eventually('a third is held', async () => (await held()) >= 3, 2000);
    else {
      await new Promise((resolve) => setTimeout(resolve, 1000));
      expect(await held()).toBe(2);
    }
  },
  60_000,
);
