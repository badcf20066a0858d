// Follows the jobs of this tab until they have ended: two by events, since a browser opens six connections to a server and there
// may be other tabs; the others are asked for every few seconds, until it is their turn.

import { effect } from '@preact/signals';
import { ApiFailure, call, send } from '../api/call.ts';
import { whenBack } from '../api/connection.ts';
import { eventsOf } from '../api/events.ts';
import type { JobPreview, JobStatus } from '../api/types.ts';
import { type Asked, asked, isEnded, type Known, knownOf, submit } from './jobs.ts';

const STREAMS = 2;
const POLLED = 4;
const EVERY = 3000;

const under = new Map<string, 'stream' | 'poll' | 'submit'>();

const update = (key: string, change: Partial<Known>) => {
  const one = knownOf(key);
  one.value = { ...one.value, ...change };
};

/** Called once. What was sent or under way before a reload is taken up again. */
export function followJobs(): void {
  effect(() => next(asked.value));
}

function next(all: readonly Asked[]): void {
  const open = all.filter(({ key }) => !isEnded(knownOf(key).peek())).toReversed();
  for (const one of open) {
    if (under.has(one.key)) continue;
    if (one.jobId === undefined) begin(one, 'submit', sendOnce);
    else if (count('stream') < STREAMS) begin(one, 'stream', stream);
    else if (count('poll') < POLLED) begin(one, 'poll', poll);
  }
}

const count = (how: 'stream' | 'poll') => [...under.values()].filter((one) => one === how).length;

function begin(one: Asked, how: 'stream' | 'poll' | 'submit', work: (one: Asked) => Promise<void>): void {
  under.set(one.key, how);
  void work(one)
    .catch((error: unknown) => {
      const failure =
        error instanceof ApiFailure
          ? error
          : new ApiFailure(String(error), { status: 0, code: 'page_fault' });
      update(one.key, { failure });
    })
    .finally(() => {
      under.delete(one.key);
      next(asked.peek());
    });
}

async function sendOnce(one: Asked): Promise<void> {
  await submit(one);
}

/** Until it has ended. A stream that the server ends, or that breaks, is opened again with the last event's id. */
async function stream({ key, jobId }: Asked): Promise<void> {
  let lastId: string | undefined;
  while (!isEnded(knownOf(key).peek())) {
    try {
      const response = await send('GET /api/status/{id}/events', {
        path: { id: jobId! },
        query: { previews: '1' },
        headers: lastId === undefined ? {} : { 'Last-Event-ID': lastId },
      });
      for await (const { event, id, data } of eventsOf(response.body!)) {
        lastId = id ?? lastId;
        if (event === 'status') hear(key, JSON.parse(data) as JobStatus);
        if (event === 'preview') update(key, { preview: urlOf(JSON.parse(data) as JobPreview) });
      }
    } catch (error) {
      if (!(error instanceof ApiFailure)) await whenBack();
      // As many are open as the server holds, or it holds none: it is asked instead.
      else if (error.retryAfter === undefined) throw error;
    }
    if (!isEnded(knownOf(key).peek())) await once(key, jobId!);
  }
}

const urlOf = ({ content_type: type, image }: JobPreview) => `data:${type};base64,${image}`;

/** What an attempt showed is gone with it. */
function hear(key: string, view: JobStatus): void {
  const { view: before } = knownOf(key).peek();
  const goesOn = view.status === 'processing' && before?.attempts === view.attempts;
  update(key, { view, ...(!goesOn && { preview: undefined }) });
}

async function poll({ key, jobId }: Asked): Promise<void> {
  await once(key, jobId!);
}

async function once(key: string, id: string): Promise<void> {
  hear(key, await call('GET /api/status/{id}', { path: { id } }));
  if (!isEnded(knownOf(key).peek())) await new Promise((resolve) => setTimeout(resolve, EVERY));
}
