// ComfyUI's wire of `npm start` is killed in the middle of a job, and started again: a client that reconnects as itself hears the
// job to its end, with its image.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { type WithWire, withWire } from '../../support/with-wire.ts';
import { eventually, type Json } from '../support.ts';
import { small } from '../v2/support.ts';
import { connect, endOf } from './client.ts';

let wire: WithWire;
beforeAll(async () => {
  wire = await withWire(50);
});
afterAll(() => wire?.close());

test('a client that comes back after kill -9 hears its prompt to the end, and gets the image', async () => {
  const { url, comfyui } = wire;
  const first = await wire.start();
  const before = await connect(url, { clientId: 'page' });
  const graph = small('survives');
  graph['8']!.inputs['steps'] = 100;
  const sent = await fetch(`${url}/prompt`, {
    method: 'POST',
    body: JSON.stringify({ prompt: graph, client_id: 'page' }),
  });
  const { prompt_id: id } = (await sent.json()) as { prompt_id: string };
  await before.until(({ type }) => type === 'progress');
  first.signal('SIGKILL');
  expect((await before.ended).code).toBe(1006);
  await first.ended;

  await wire.start();
  const after = await connect(url, { clientId: 'page' });
  const said = await after.until(endOf(id));
  const types = said.filter(({ data }) => data['prompt_id'] === id).map(({ type }) => type);
  expect(types.slice(0, 2)).toEqual(['execution_start', 'execution_cached']);
  expect(types.slice(-3)).toEqual(['executed', 'execution_success', 'executing']);
  const { output } = said.find(({ type }) => type === 'executed')!.data as { output: { images: Json[] } };
  const query = new URLSearchParams(output.images[0] as Record<string, string>).toString();
  const image = await eventually('the image', async () => {
    const answer = await fetch(`${url}/view?${query}`);
    return answer.ok && Buffer.from(await answer.arrayBuffer());
  });
  expect(image.subarray(1, 4).toString()).toBe('PNG');
  // It ran once: the new process has taken over what the old one had posted.
  expect(
    comfyui.requests.filter(({ method, path }) => method === 'POST' && path.endsWith('/prompt')),
  ).toHaveLength(1);
  await after.close();
});
