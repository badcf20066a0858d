// A restart of the API under load: whatever was answered holds, a repeated key makes no second job, and an orderly
// end cuts no answer.

import { expect, test } from 'vitest';
import { deploymentForEach, post, statusOf } from './deployment.ts';

const deployment = deploymentForEach();

const CLIENTS = 8;
const REPEATED_EVERY = 5;

/** Clients that submit as fast as they can, each key until it is answered. */
function startLoad(url: string) {
  const jobs = new Map<string, string>();
  const wrong: string[] = [];
  let unanswered = 0;
  let cut = 0;
  let stopped = false;

  /** One try. Undefined: no answer. */
  async function tryOnce(key: string, body: Record<string, unknown>): Promise<string | undefined> {
    let response: Response;
    try {
      response = await post(url, body, key);
    } catch {
      unanswered += 1;
      return undefined;
    }
    try {
      const answer = (await response.json()) as { job_id: string };
      if (response.status === 202) return answer.job_id;
      wrong.push(`${key}: ${response.status} ${JSON.stringify(answer)}`);
    } catch {
      // The head of an answer was there, and the rest did not come.
      cut += 1;
    }
    return undefined;
  }

  async function submit(key: string, ms: number): Promise<string> {
    for (;;) {
      const jobId = await tryOnce(key, { workflow: 'slow', ms });
      if (jobId !== undefined) return jobId;
      // While nobody listens, eight clients need not keep a core busy with asking.
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  async function client(number: number): Promise<void> {
    for (let turn = 0; !stopped; turn += 1) {
      const key = `client-${number}-${turn}`;
      const jobId = await submit(key, turn);
      jobs.set(key, jobId);
      if (turn % REPEATED_EVERY > 0) continue;
      const again = await submit(key, turn);
      if (again !== jobId) wrong.push(`${key}: ${jobId}, then ${again}`);
    }
  }

  const clients = Array.from({ length: CLIENTS }, (_, number) => client(number));
  return {
    jobs,
    wrong,
    unanswered: () => unanswered,
    cut: () => cut,
    async stop() {
      stopped = true;
      await Promise.all(clients);
    },
  };
}

test('no request that was answered is lost, by SIGTERM or by SIGKILL, and no key makes two jobs', async () => {
  let { program, url } = await deployment().addApi();
  const API_PORT = new URL(url).port;
  const load = startLoad(url);
  const accepted = async (more: number) => {
    const wanted = load.jobs.size + more;
    await expect.poll(() => load.jobs.size, { timeout: 30_000 }).toBeGreaterThanOrEqual(wanted);
  };
  try {
    await accepted(60);
    program.signal('SIGTERM');
    expect(await program.ended).toBe(0);
    expect(load.cut()).toBe(0);
    expect(program.stderr()).toBe('');
    ({ program } = await deployment().addApi({ API_PORT }));
    await accepted(60);
    program.signal('SIGKILL');
    await program.ended;
    ({ program } = await deployment().addApi({ API_PORT }));
    await accepted(60);
  } finally {
    await load.stop();
  }

  expect(load.wrong).toEqual([]);
  // It was down twice: some asked in vain.
  expect(load.unanswered()).toBeGreaterThan(0);
  for (const [key, jobId] of load.jobs) expect([key, (await statusOf(url, jobId)).code]).toEqual([key, 200]);
  // A job a key, and not one more: also for those whose first answer never came.
  expect(new Set(load.jobs.values()).size).toBe(load.jobs.size);
  expect(await deployment().behind.jobs.countWork('waiting')).toBe(load.jobs.size);

  // Keys of before both restarts still mean the same jobs.
  for (const [key, jobId] of [...load.jobs].slice(0, CLIENTS)) {
    const turn = Number(key.split('-')[2]);
    const answer = await post(url, { workflow: 'slow', ms: turn }, key);
    expect(await answer.json()).toMatchObject({ job_id: jobId });
  }
}, 60_000);
