// A job followed to its end by server-sent events, as an EventSource does: after a disconnect the client reconnects with
// the last id, and a stream without further events answers 204.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Status } from '../api.ts';
import { hasEnded } from '../../core/job-state.ts';
import { type Finding, lacking, ok } from '../doctor/check.ts';
import { objectOf } from './ask.ts';
import { type Smoke, wanted } from './smoke.ts';

/** The standard leaves the delay before a reconnect to the browser; most take three seconds. */
const RETURNS_AFTER = 3000;

export async function eventsFinding({ ask, until, stopped }: Smoke, jobId: string): Promise<Finding> {
  const path = `/api/status/${jobId}/events`;
  const seen: string[] = [];
  let lastId: string | undefined;
  let streams = 0;
  for (;;) {
    const headers = lastId === undefined ? undefined : { 'last-event-id': lastId };
    const answer = await ask(path, {
      ...(headers && { headers }),
      limit: until - Date.now(),
    });
    if (answer.status === 204) break;
    wanted(answer, 200, `GET ${path}`);
    if (!answer.headers.get('content-type')?.startsWith('text/event-stream'))
      throw lacking('events come as no event stream', 'what stands between may not change its type');
    streams += 1;
    const { events, retry = RETURNS_AFTER } = read(answer.bytes.toString());
    for (const { id, status } of events) {
      lastId = id;
      if (seen.at(-1) !== status.status) seen.push(status.status);
    }
    if (lastId === undefined) throw lacking('a stream of events says nothing', 'npm run doctor');
    if (Date.now() > until)
      throw lacking(`no end in time: ${seen.join(', ')}`, 'npm run doctor, then again with more --minutes');
    const last = events.at(-1);
    const pause = Math.min(retry, until - Date.now());
    if (!last || !hasEnded(last.status)) await sleep(pause, undefined, { signal: stopped });
  }
  return ok(`${seen.join(', ')}, in ${streams} stream${streams === 1 ? '' : 's'}, then 204`);
}

interface Event {
  id: string;
  status: Status;
}

function read(text: string): { events: Event[]; retry?: number } {
  const events: Event[] = [];
  let retry: number | undefined;
  for (const block of text.split('\n\n')) {
    const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1];
    const [id, data, later] = [field('id'), field('data'), field('retry')];
    if (later !== undefined) retry = Number(later);
    if (id !== undefined && data !== undefined)
      events.push({ id, status: objectOf(Buffer.from(data)) as Status });
  }
  return { events, ...(retry !== undefined && { retry }) };
}
