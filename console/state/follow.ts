// Follows the jobs of this tab until they have ended: those that sample, or are about to, by events (streamed.ts), and the others
// by asking, one after the other over one connection.

import { effect, type Signal, untracked } from '@preact/signals';
import { ApiFailure, call, send } from '../api/call.ts';
import { whenBack } from '../api/connection.ts';
import { signalOfKey } from '../api/key.ts';
import { isGivenUp } from '../api/pause.ts';
import { eventsOf } from '../api/events.ts';
import { inSlot } from '../api/stream-slots.ts';
import type { JobPreview, JobStatus } from '../api/types.ts';
import { type Asked, asked, forget, isEnded, isUnderway, type Known, knownOf, submit } from './jobs.ts';
import { streamed } from './streamed.ts';

/** The oldest ones without a stream are asked for this often, ms: any of them may be the next that runs. */
const EVERY = 3000;
const NEAR = 4;
/** The others. */
const SELDOM = 30_000;

type Accepted = Asked & { jobId: string };

interface Stream {
  ending: AbortController;
  /** False: it waits for a slot, and its job is asked for. */
  isOpen: boolean;
}

const streams = new Map<string, Stream>();
/** When each may be asked for again at the soonest, ms; absent: it never was. Goes with what is known of it. */
const askedAgain = new WeakMap<Signal<Known>, number>();

const update = (key: string, change: Partial<Known>) => {
  const one = knownOf(key);
  one.value = { ...one.value, ...change };
};

/** Called once. What was sent or under way before a reload is taken up again. */
export function followJobs(): void {
  effect(() => {
    void asked.value;
    untracked(arrange);
  });
  document.addEventListener('visibilitychange', arrange);
  void ask();
}

/** Oldest first. */
const open = () =>
  asked
    .peek()
    .filter(({ key }) => !isEnded(knownOf(key).peek()))
    .toReversed();

const accepted = () => open().filter((one): one is Accepted => one.jobId !== undefined);

/** After each change: sends what was not sent, and moves the streams to where something is to be seen. */
function arrange(): void {
  for (const one of open()) if (one.jobId === undefined && !isUnderway(one)) void sendOnce(one);
  const all = accepted();
  // A tab that is not looked at leaves its connections to those that are.
  const wanted =
    document.visibilityState === 'hidden'
      ? []
      : streamed(
          all.map(({ key }) => ({ key, view: knownOf(key).peek().view })),
          new Set(streams.keys()),
        );
  for (const [key, { ending }] of streams)
    if (!wanted.includes(key)) {
      streams.delete(key);
      // One that has ended is ended by the server, and its connection serves the next.
      if (!isEnded(knownOf(key).peek())) ending.abort();
    }
  for (const one of all) if (wanted.includes(one.key) && !streams.has(one.key)) void stream(one);
  wake();
}

async function sendOnce(one: Asked): Promise<void> {
  try {
    await submit(one);
  } catch (error) {
    fail(one, error);
  } finally {
    arrange();
  }
}

async function stream(one: Accepted): Promise<void> {
  const ending = new AbortController();
  const { signal } = ending;
  const mine = { ending, isOpen: false };
  streams.set(one.key, mine);
  try {
    await inSlot(signal, () => {
      mine.isOpen = true;
      return listen(one, signal);
    });
  } catch (error) {
    if (!signal.aborted) fail(one, error);
  } finally {
    if (streams.get(one.key) === mine) streams.delete(one.key);
    arrange();
  }
}

/** Until it has ended. A stream that the server ends, or that breaks, is opened again with the last event's id. */
async function listen(one: Accepted, signal: AbortSignal): Promise<void> {
  const { key, jobId } = one;
  let lastId: string | undefined;
  const goesOn = () => !signal.aborted && !isEnded(knownOf(key).peek());
  while (goesOn()) {
    try {
      const response = await send('GET /api/status/{id}/events', {
        path: { id: jobId },
        query: { previews: '1' },
        headers: lastId === undefined ? {} : { 'Last-Event-ID': lastId },
        signal,
      });
      for await (const { event, id, data } of eventsOf(response.body!)) {
        if (signal.aborted) return;
        lastId = id ?? lastId;
        if (event === 'status') hear(key, JSON.parse(data) as JobStatus);
        if (event === 'preview') update(key, { preview: urlOf(JSON.parse(data) as JobPreview) });
      }
    } catch (error) {
      if (signal.aborted) return;
      if (isGivenUp(error)) throw error;
      if (!(error instanceof ApiFailure)) await whenBack(AbortSignal.any([signal, signalOfKey()]));
      // As many are open as the server holds, or it holds none: it is asked instead.
      else if (error.retryAfter === undefined) throw error;
    }
    if (!goesOn()) return;
    await once(one);
    if (goesOn()) await new Promise((resolve) => setTimeout(resolve, EVERY));
  }
}

let wake: () => void = () => undefined;

/** Those without a stream, for as long as the page lives. */
async function ask(): Promise<never> {
  for (;;) {
    const now = performance.now();
    const [next] = accepted()
      .filter(({ key }) => streams.get(key)?.isOpen !== true)
      .map((one, index) => ({ one, at: dueAt(one, index) }))
      .toSorted((a, b) => a.at - b.at);
    if (next && next.at <= now) await once(next.one);
    else
      await new Promise<void>((resolve) => {
        const timer = next && setTimeout(resolve, next.at - now);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
  }
}

/** @param index among those that are asked for */
function dueAt({ key }: Accepted, index: number): number {
  const soonest = askedAgain.get(knownOf(key));
  return soonest === undefined ? 0 : soonest + (index < NEAR ? 0 : SELDOM - EVERY);
}

async function once(one: Accepted): Promise<void> {
  try {
    hear(one.key, await call('GET /api/status/{id}', { path: { id: one.jobId } }));
  } catch (error) {
    fail(one, error);
  }
  askedAgain.set(knownOf(one.key), performance.now() + EVERY);
}

const urlOf = ({ content_type: type, image }: JobPreview) => `data:${type};base64,${image}`;

/** What an attempt showed is gone with it, and so is why it could not be read. */
function hear(key: string, view: JobStatus): void {
  const { view: before } = knownOf(key).peek();
  const goesOn = view.status === 'processing' && before?.attempts === view.attempts;
  update(key, { view, failure: undefined, ...(!goesOn && { preview: undefined }) });
  arrange();
}

/** One that could not be read; and one whose result is no more to be had may have been deleted. */
export const lookAgain = (one: Asked): void => void (one.jobId !== undefined && once(one as Accepted));

function fail({ key, jobId }: Asked, error: unknown): void {
  // There is another key: it goes on under one of the same owner.
  if (isGivenUp(error)) return;
  // It was accepted, and was deleted since.
  if (jobId !== undefined && error instanceof ApiFailure && error.status === 404) {
    forget(key);
    return;
  }
  const failure =
    error instanceof ApiFailure ? error : new ApiFailure(String(error), { status: 0, code: 'page_fault' });
  update(key, { failure });
}
