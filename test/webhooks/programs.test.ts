// Webhooks as people run them: `npm start`, and as a process of its own beside an API that delivers nothing.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Webhook } from 'standardwebhooks';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { build, type Program, startProgram } from '../support/program.ts';
import { type Rig, startRig } from '../support/rig.ts';
import { CREDENTIALS, REGION, startDynamo } from '../support/store.ts';
import { type Receiver, startReceiver } from './receiver.ts';

let folder: string;
let receiver: Receiver;
let started: Program[];
beforeAll(() => build());
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'webhooks-'));
  receiver = await startReceiver();
  started = [];
});
afterEach(async () => {
  for (const program of started) program.stop();
  await Promise.all(started.map(({ ended }) => ended));
  await receiver.close();
  await rm(folder, { recursive: true, force: true, maxRetries: 10 });
});

async function npmStart(
  environment: Record<string, string> = {},
): Promise<{ program: Program; url: string }> {
  const program = startProgram('local', {
    WORKSPACE_PATH: join(folder, 'workspace'),
    API_PORT: '0',
    COMFYUI_MODE: 'simulated',
    SIMULATED_STEP_MS: '1',
    ...environment,
  });
  started.push(program);
  const [url] = await program.until(/http:\/\/127\.0\.0\.1:\d+/);
  return { program, url };
}

const generate = async (url: string) => {
  const response = await fetch(`${url}/api/generate`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ prompt: 'a fox', steps: 2, webhook_url: receiver.url }),
  });
  return { status: response.status, json: (await response.json()) as Record<string, unknown> };
};

test('npm start reports the end of a job as soon as it has come', { timeout: 60_000 }, async () => {
  const { url } = await npmStart({ WEBHOOK_ALLOW_PRIVATE: 'true' });
  expect((await generate(url)).status).toBe(202);
  const [got] = await receiver.until(1);
  const reported = JSON.parse(got!.body) as { type: string; data: { completed_at: string } };
  expect(reported.type).toBe('job.completed');
  // Not by the poll of every five seconds.
  expect(got!.at - Date.parse(reported.data.completed_at)).toBeLessThan(3000);
  const { secret } = (await (await fetch(`${url}/api/webhooks/secret`)).json()) as { secret: string };
  expect(new Webhook(secret).verify(got!.body, got!.headers as Record<string, string>)).toEqual(reported);
});

test('npm start sends nothing to this machine unless that is allowed', { timeout: 60_000 }, async () => {
  const { url } = await npmStart();
  expect(await generate(url)).toMatchObject({ status: 400, json: { code: 'invalid_field' } });
});

test(
  'a process of its own delivers what others have ended, and stops by SIGTERM',
  { timeout: 60_000 },
  async () => {
    const store = await startDynamo();
    const rig: Rig = await startRig({ store, forward: false, settings: { webhookAllowPrivate: true } });
    const program = startProgram('webhooks', {
      AWS_ENDPOINT_URL_DYNAMODB: store.url,
      AWS_REGION: REGION,
      AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
      WEBHOOK_ALLOW_PRIVATE: 'true',
    });
    started.push(program);
    await program.until(/"ready":true/);
    const jobId = await rig.generate({ webhook_url: receiver.url });
    await rig.app.request(`/api/queue/${jobId}`, { method: 'DELETE' });
    const [got] = await receiver.until(1);
    expect(JSON.parse(got!.body)).toMatchObject({ type: 'job.cancelled', data: { job_id: jobId } });
    program.signal('SIGTERM');
    expect(await program.ended).toBe(0);
    await rig.close();
  },
);

test('a setting that cannot be read is one line', async () => {
  const program = startProgram('webhooks', { WEBHOOK_ALLOW_PRIVATE: 'maybe' });
  started.push(program);
  expect(await program.ended).toBe(1);
  expect(program.stderr().trim()).toBe('WEBHOOK_ALLOW_PRIVATE must be true or false; it is "maybe"');
});
