// A job with which ComfyUI ends: it ends itself in the end, and what waited beside it is not charged.

import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Rig, startRig, type TestHost } from '../support/rig.ts';

/** Nothing else in these tests takes so long, ms. */
const KILLS = 50_000;

let rig: Rig;
let host: TestHost;
let watching: NodeJS.Timeout | undefined;
beforeEach(async () => {
  rig = await startRig({ workflows: 'test/workflows' });
  host = await rig.addHost();
  // Before anybody else can see that it has started.
  host.comfyui.faults.socketSilent = true;
});
afterEach(async () => {
  clearInterval(watching);
  await rig.close();
});

/** ComfyUI ends as soon as the job runs, and is back at once. */
function endsWithIt(): () => number {
  let kills = 0;
  watching = setInterval(() => {
    void fetch(`${host.comfyui.url}/queue`)
      .then((answer) => answer.json())
      .then((queue) => {
        const [running] = (
          queue as { queue_running: [number, string, Record<string, { inputs: { ms?: number } }>][] }
        ).queue_running;
        if (running?.[2]['2']?.inputs.ms !== KILLS) return;
        kills += 1;
        host.comfyui.faults.forget();
      })
      .catch(() => undefined);
  }, 5);
  return () => kills;
}

test('a job that ends ComfyUI at once ends at its third time; the innocent beside it are not charged', async () => {
  const kills = endsWithIt();
  const killing = await rig.generate({ workflow: 'slow', ms: KILLS });
  const beside = await rig.generate({ workflow: 'slow', ms: 100 });
  expect(await rig.until(killing, ['completed', 'failed'], 40_000)).toMatchObject({
    status: 'failed',
    error_code: 'lost_too_often',
  });
  expect(await rig.until(beside, ['completed', 'failed'], 20_000)).toMatchObject({ status: 'completed' });
  expect(await rig.store.jobs.readState(killing)).toMatchObject({ lostAttempts: 3 });
  expect(await rig.store.jobs.readState(beside)).toMatchObject({ lostAttempts: 0 });
  expect(kills()).toBeLessThanOrEqual(4);
}, 70_000);
