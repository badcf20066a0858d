// Ten thousand jobs of one client: its socket costs the table no more than two hundred jobs do, and misses none that runs.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { claim, start } from '../../../functions/core/job.ts';
import { listen, listenerOf } from '../../../functions/runtime/listen.ts';
import { appsWith } from '../../support/app.ts';
import { QUICK } from '../../support/quick.ts';
import { type Rig, startRig } from '../../support/rig.ts';
import { putJobs } from '../support.ts';
import { type Client, connect } from './client.ts';

const JOBS = 10_000;

let rig: Rig;
let client: Client;
let ids: string[];
/** How many states were asked for at once, at most. */
let most = 0;
let close: () => Promise<void>;
beforeAll(async () => {
  rig = await startRig({ forward: false, timings: QUICK });
  const now = rig.store.now();
  const wanted = Array.from({ length: JOBS }, (_, index) => ({ createdAt: now + index, clientId: 'many' }));
  ids = await putJobs(rig, wanted);
  const { store, images, templates, log, timings } = rig;
  const jobs: typeof store.jobs = {
    ...store.jobs,
    readStates(asked, how) {
      most = Math.max(most, asked.length);
      return store.jobs.readStates(asked, how);
    },
  };
  const workflows = { templates, refused: [] };
  const { wire, upgrade } = appsWith({ ...store, jobs, images, workflows, log, timings });
  const server = await listen(listenerOf(wire), '127.0.0.1', 0);
  server.server.on('upgrade', upgrade);
  client = await connect(`http://127.0.0.1:${server.port}`, { clientId: 'many' });
  close = () => server.close();
});
afterAll(async () => {
  client.socket.terminate();
  await close();
  await rig.close();
});

async function run(jobId: string): Promise<void> {
  const { jobs, now } = rig.store;
  const state = (await jobs.readState(jobId))!;
  expect(await jobs.write(jobId, claim(state, 'host', now(), false))).toBe(true);
  const fence = { attempt: state.attempt + 1, host: 'host' };
  expect(await jobs.write(jobId, start((await jobs.readState(jobId))!, fence, now()))).toBe(true);
}

test('all are counted, and one from the middle that runs is heard of', async () => {
  const [greeting] = await client.until(() => true);
  expect(greeting!.data).toMatchObject({ status: { exec_info: { queue_remaining: JOBS } } });
  for (const jobId of [ids[0]!, ids[150]!, ids[JOBS / 2]!, ids.at(-1)!]) {
    await run(jobId);
    await client.until(({ type, data }) => type === 'execution_start' && data['prompt_id'] === jobId);
  }
  // The ends that the client may have missed are looked for among so many.
  expect(most).toBeLessThanOrEqual(300);
});
