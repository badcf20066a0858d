// `npm start` is killed −9 while ten of OpenAI's clients wait: each gets its image by its own repetition, and no job is made twice.

import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { freePort } from '../../support/free-port.ts';
import { withWire } from '../../support/with-wire.ts';
import type { Json } from '../support.ts';
import { clientOf, SMALL } from './support.ts';

test('ten clients that wait', async () => {
  const port = await freePort();
  const server = await withWire(400, { API_PORT: String(port) });
  try {
    const url = `http://127.0.0.1:${port}`;
    const killed = await server.start();
    const client = clientOf({ url }, { maxRetries: 12 });
    const asked = async (path: string) => (await (await fetch(url + path)).json()) as Json;
    const calls = Array.from({ length: 10 }, () => client.images.generate(SMALL).withResponse());
    const answers = Promise.all(calls);
    answers.catch(() => undefined);
    await expect.poll(async () => (await asked('/api/queue'))['total_jobs']).toBe(10);
    killed.signal('SIGKILL');
    await killed.ended;
    await server.start();
    const got = await answers;
    const ids = got.map(({ response }) => response.headers.get('x-job-id'));
    expect(new Set(ids).size).toBe(10);
    const images = got.map(({ data }) => createHash('sha256').update(data.data![0]!.b64_json!).digest('hex'));
    expect(new Set(images).size).toBe(10);
    const { history } = (await asked('/api/history')) as { history: Record<string, Json> };
    expect(new Set(Object.values(history).map(({ job_id: id }) => id))).toEqual(new Set(ids));
  } finally {
    await server.close();
  }
});
