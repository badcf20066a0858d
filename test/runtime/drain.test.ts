// What a full queue and SIGTERM do to processes, seen from outside.

import { request } from 'node:http';
import { expect, test } from 'vitest';
import { startSimulatedComfyUI } from '../../simulated-comfyui/server.ts';
import { deploymentForEach, post, statusOf, submit, untilStatus } from './deployment.ts';

const deployment = deploymentForEach();

const waiting = () => deployment().behind.jobs.countWork('waiting');

test('past the waiting limit 429 says when to come again; known keys are answered, and room is used', async () => {
  const { url } = await deployment().addApi({ MAX_WAITING: '3' });
  const body = { workflow: 'slow', ms: 0 };
  const accepted: string[] = [];
  for (const key of ['k1', 'k2', 'k3']) {
    const answer = await post(url, body, key);
    expect(answer.status).toBe(202);
    accepted.push(((await answer.json()) as { job_id: string }).job_id);
  }
  const refused = await post(url, body, 'k4');
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '5']);
  expect(await refused.json()).toMatchObject({ code: 'too_many_waiting' });
  expect(await waiting()).toBe(3);
  const repeated = await post(url, body, 'k1');
  expect([repeated.status, ((await repeated.json()) as { job_id: string }).job_id]).toEqual([
    202,
    accepted[0],
  ]);

  await deployment().addHost();
  for (const jobId of accepted) await untilStatus(url, jobId, 'completed');
  // The count is a second old at most.
  await expect.poll(async () => (await post(url, body, 'k4')).status, { timeout: 5000 }).toBe(202);
});

test('SIGTERM to a host: what runs is finished, what has not started goes back, nothing new is taken', async () => {
  const { url } = await deployment().addApi();
  const silent = await startSimulatedComfyUI({ stepMs: 1, faults: { answer500: ['/system_stats'] } });
  const [leaving, staying] = await Promise.all([deployment().addHost(), deployment().addHost(silent)]);
  const [running, behind] = [await submit(url, 1500), await submit(url, 1500)];
  // Which of the two runs is ComfyUI's affair: one does, the other waits in it.
  await expect.poll(leaving.posted, { timeout: 10_000 }).toBe(2);
  await expect
    .poll(async () => (await statuses([running, behind])).sort(), { timeout: 10_000 })
    .toEqual(['processing', 'queued']);
  const first = (await statuses([running]))[0] === 'processing' ? running : behind;
  const second = first === running ? behind : running;

  leaving.program.signal('SIGTERM');
  const later = await submit(url, 0);
  // The other host has been there all the time, and can work from now on.
  await expect
    .poll(async () => (await deployment().behind.jobs.readState(second))?.work, { timeout: 10_000 })
    .toBe('waiting');
  silent.faults.answer500 = [];
  expect(await leaving.program.ended).toBe(0);

  expect(await statusOf(url, first)).toMatchObject({ body: { status: 'completed', attempts: 1 } });
  await untilStatus(url, second, 'completed');
  await untilStatus(url, later, 'completed');
  expect(await deployment().behind.jobs.readState(second)).toMatchObject({ attempt: 2, lostAttempts: 0 });
  expect(await deployment().behind.jobs.readState(later)).toMatchObject({ attempt: 1, lostAttempts: 0 });
  expect([leaving.posted(), staying.posted()]).toEqual([2, 2]);
  expect((await deployment().behind.hosts.list()).map(({ hostId }) => hostId)).toEqual([staying.hostId]);

  async function statuses(jobIds: string[]): Promise<string[]> {
    return Promise.all(jobIds.map(async (jobId) => String((await statusOf(url, jobId)).body['status'])));
  }
});

test.each(['forwarder', 'controller'] as const)('SIGTERM to a %s: exit 0', async (name) => {
  const program = deployment().start(name);
  await deployment().up(program);
  program.signal('SIGTERM');
  expect(await program.ended).toBe(0);
  expect(program.stderr()).toBe('');
});

test('SIGTERM to an API: a request that is half sent is heard to its end and answered, then exit 0', async () => {
  const { program, url } = await deployment().addApi();
  const body = JSON.stringify({ workflow: 'slow', ms: 0 });
  const slow = request(`${url}/api/generate`, {
    method: 'POST',
    agent: false,
    headers: { 'content-type': 'application/json', 'content-length': body.length },
  });
  const answered = new Promise<{ status: number | undefined; body: string }>((resolve, reject) => {
    slow.once('error', reject);
    slow.once('response', (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.once('error', reject);
      response.once('end', () => resolve({ status: response.statusCode, body: text }));
    });
  });
  slow.write(body.slice(0, 10));
  // It is being heard when a later request has been answered.
  await fetch(`${url}/api/workflows`).then((response) => response.text());
  program.signal('SIGTERM');
  await expect
    .poll(
      () =>
        fetch(url).then(
          () => 'open',
          () => 'closed',
        ),
      { timeout: 5000 },
    )
    .toBe('closed');
  slow.end(body.slice(10));
  const { status, body: answer } = await answered;
  expect(status).toBe(202);
  expect(await program.ended).toBe(0);
  expect(
    await deployment().behind.jobs.read((JSON.parse(answer) as { job_id: string }).job_id),
  ).toBeDefined();
});
