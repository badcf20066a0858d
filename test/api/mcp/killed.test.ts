// The server killed with -9 while a task runs: the task is in the table, so that its client has its image when it asks again.

import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort } from '../../support/free-port.ts';
import { type WithWire, withWire } from '../../support/with-wire.ts';
import { eventually, type Json } from '../support.ts';
import { calledOf, connected, rpc, tool, withTasks } from './support.ts';

const SMALL = { prompt: 'a red fox', steps: 10, width: 256, height: 256 };

let started: WithWire;
let url: string;
beforeAll(async () => {
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  started = await withWire(100, { API_PORT: String(port) });
});
afterAll(() => started?.close());

test('a task, and a call that waited with a key: one job each', async () => {
  const first = await started.start();
  const made = await rpc(url, 'tools/call', { name: 'generate', arguments: { inputs: SMALL } }, withTasks);
  const { taskId } = made.json['result'] as { taskId: string };
  const given = {
    inputs: { ...SMALL, prompt: 'a blue fox' },
    idempotency_key: randomBytes(8).toString('hex'),
  };
  const client = await connected(url, '2026-07-28');
  const waiting = tool(client, 'generate', given).then(
    () => 'answered',
    () => 'lost',
  );
  await expect.poll(unfinished).toBe(2);
  first.signal('SIGKILL');
  await first.ended;
  expect(await waiting).toBe('lost');

  await started.start();
  const task = await eventually('the task to end', async () => {
    const { json } = await rpc(url, 'tasks/get', { taskId }, withTasks);
    const got = json['result'] as { status: string; result?: unknown };
    return got.status === 'working' ? undefined : got;
  });
  expect(task).toMatchObject({ taskId, status: 'completed' });
  expect(calledOf(task.result)).toMatchObject({ isError: false, blocks: [{}, { type: 'image' }, {}] });

  const again = await tool(await connected(url, '2026-07-28'), 'generate', given);
  expect(again).toMatchObject({
    isError: false,
    json: { status: 'completed' },
    blocks: [{}, { type: 'image' }, {}],
  });
  const history = (await (await fetch(`${url}/api/history`)).json()) as Json;
  expect(history).toMatchObject({ total_items: 2 });
  await client.close();
});

async function unfinished(): Promise<number> {
  const { queue } = (await (await fetch(`${url}/api/queue`)).json()) as {
    queue: { queue_running: unknown[]; queue_pending: unknown[] };
  };
  return queue.queue_running.length + queue.queue_pending.length;
}
