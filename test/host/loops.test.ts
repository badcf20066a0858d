// How the log names what fails in a round of a host.

import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createComfyUI } from '../../functions/comfyui/client.ts';
import { startHost } from '../../functions/host/host.ts';
import { startSimulatedComfyUI } from '../../simulated-comfyui/server.ts';
import { QUICK } from '../support/quick.ts';
import { type Rig, startRig } from '../support/rig.ts';

let rig: Rig;
let lines: Record<string, unknown>[];
beforeEach(async () => {
  lines = [];
  const onLog = (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>);
  rig = await startRig({ timings: QUICK, forward: false, onLog });
});
afterEach(() => rig.close());

test("an error of the queue's poll fails a round; no heartbeat is missed", async () => {
  const simulated = await startSimulatedComfyUI();
  const comfyui = createComfyUI(simulated.url, QUICK.comfyuiAnswersWithin);
  let fails = false;
  const host = await startHost({
    ...rig.store,
    images: rig.images,
    comfyui: {
      ...comfyui,
      queue: () => (fails ? Promise.reject(new TypeError('an unexpected queue')) : comfyui.queue()),
    },
    log: rig.log,
    timings: QUICK,
    machineId: randomUUID(),
    url: 'http://127.0.0.1:1',
    slots: 1,
  });
  try {
    const { hostId } = host;
    const seenAt = async () => (await rig.store.hosts.read(hostId))!.seenAt;
    fails = true;
    await expect
      .poll(() => lines, { timeout: 10_000 })
      .toContainEqual(
        expect.objectContaining({
          event: 'round.failed',
          round: 'heartbeat',
          error: expect.stringContaining('an unexpected queue') as string,
        }),
      );
    const before = await seenAt();
    await expect.poll(seenAt, { timeout: 10_000 }).toBeGreaterThan(before);
    expect(lines.filter(({ event }) => event === 'host.heartbeat_failed')).toEqual([]);
  } finally {
    fails = false;
    await host.drain();
    await simulated.close();
  }
});
