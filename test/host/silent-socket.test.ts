// The socket only hurries: without it a job costs what polling takes, at the pace of a deployment.

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Rig, startRig, type TestHost } from '../support/rig.ts';

let rig: Rig;
let host: TestHost;
beforeEach(async () => {
  rig = await startRig({ workflows: 'test/workflows' });
  host = await rig.addHost();
});
afterEach(() => rig.close());

const slow = (ms: number) => rig.generate({ workflow: 'slow', ms });

async function secondsToComplete(jobId: string): Promise<number> {
  const start = performance.now();
  const status = await rig.until(jobId, ['completed', 'failed']);
  expect(status).toMatchObject({ status: 'completed', attempts: 1, progress: 1 });
  return (performance.now() - start) / 1000;
}

test('a silent socket costs less than two seconds', async () => {
  const plain = await secondsToComplete(await slow(500));
  host.comfyui.faults.socketSilent = true;
  const silent = await secondsToComplete(await slow(500));
  expect(silent - plain).toBeLessThan(2);
});

describe('a socket that is cut costs less than two seconds', () => {
  test.each([0, 1, 2, 4, 7, 12, 20, 30])('at message %i', async (messages) => {
    const plain = await secondsToComplete(await slow(300));
    host.comfyui.faults.socketCutAfter = messages;
    expect((await secondsToComplete(await slow(300))) - plain).toBeLessThan(2);
  });
});
