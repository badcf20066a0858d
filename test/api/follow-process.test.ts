// The api as a process: streams that are held neither keep it from ending nor end without a word.

import { expect, test } from 'vitest';
import { deploymentForEach, submit } from '../runtime/deployment.ts';
import { eventsOf } from './event-reader.ts';

const deployment = deploymentForEach();

test('SIGTERM ends streams with when to come again, and the process at once; another goes on with them', async () => {
  const [first, second] = [await deployment().addApi(), await deployment().addApi()];
  const jobId = await submit(first.url, 0);
  const path = `/api/status/${jobId}/events`;
  const streams = await Promise.all(
    Array.from({ length: 20 }, async () => eventsOf(await fetch(`${first.url}${path}`))),
  );
  const told = await Promise.all(streams.map((stream) => stream.nextTold()));
  const rests = Promise.all(streams.map((stream) => stream.rest()));
  const from = performance.now();
  first.program.signal('SIGTERM');
  expect(await first.program.ended).toBe(0);
  // What is cut would take 10 s.
  expect(performance.now() - from).toBeLessThan(5000);
  for (const rest of await rests) expect(rest.at(-1)).toEqual({ retry: 2000 });

  const headers = { 'last-event-id': told[0]!.id! };
  const on = eventsOf(await fetch(`${second.url}${path}`, { headers }));
  await fetch(`${second.url}/api/queue/${jobId}`, { method: 'DELETE' });
  expect((await on.nextTold())?.data).toMatchObject({ job_id: jobId, status: 'cancelled' });
  expect(await on.next()).toBeUndefined();
});

test('OPEN_CONNECTIONS is the budget; what is no number is refused with one line', async () => {
  const { url } = await deployment().addApi({ OPEN_CONNECTIONS: '0' });
  const jobId = await submit(url, 0);
  const events = await eventsOf(await fetch(`${url}/api/status/${jobId}/events`)).rest();
  expect(events.map(({ event, retry }) => event ?? retry)).toEqual(['status', 2000]);
  const refused = deployment().start('api', { OPEN_CONNECTIONS: 'many' });
  expect(await refused.ended).toBe(1);
  expect(refused.output()).toMatch(/^OPEN_CONNECTIONS must .* 0 to 100000; it is "many"\n$/);
});
