// What one owner's open sockets hear: how many of the owner's jobs remain, and of the jobs that were sent with a socket's client id
// what ComfyUI would say of them, whichever process took them in and wherever they run. All by turns, so that each socket hears
// in one order. A socket that comes later, or again, hears where things stand: the jobs that run, and the ends that its client
// has not confirmed.

import { hasEnded, type Job, type JobState } from '../../core/job.ts';
import type { JobRequest } from '../../core/request.ts';
import { TIMINGS } from '../../core/timings.ts';
import { previewsOf } from '../caches/previews.ts';
import { unendedIn } from '../caches/queue-view.ts';
import type { ClientSocket } from './client-socket.ts';
import type { WireDeps } from './deps.ts';
import { executingNothing, newsOf, newsToAll, statusOf } from './events.ts';
import { clientIdOf, promptIdOf } from './prompts.ts';
import { createRecent, type Recent } from './recent.ts';

export interface Audience {
  /** @param isNamed its client chose its id, and may have been here before */
  join(socket: ClientSocket, isNamed: boolean): void;
  leave(socket: ClientSocket): void;
  /** This process has accepted a prompt. */
  sent(job: Job): void;
}

/** Among so many of the newest jobs ends are looked for that a client has missed; the history has all. */
const MISSED_AMONG = 300;
const MISSED_WITHIN = 10 * 60_000;
/** Jobs that wait and are read at each poll, the first in the queue, beside those that run. */
const MAX_FOLLOWED = 200;
const MAX_LISTED = 1000;
/** Jobs of which previews are read from the bucket at once; half of them may be such as were sent with no client. */
const MAX_PREVIEWED = 8;
/** The index in which jobs are found may still have one that has ended. */
const ENDS_REMEMBERED = 1000;

interface Followed {
  /** Undefined: every socket of the owner hears of it, as little as ComfyUI says then. */
  clientId: string | undefined;
  request: JobRequest;
  /** As its sockets have heard it. */
  state: JobState;
  stop: AbortController;
  /** Ends its previews; absent: none are listened to. */
  deaf?: (() => void) | undefined;
}

/**
 * @param heard jobs whose ends their clients have confirmed
 * @param empty called when the last socket has left
 */
export function createAudience(deps: WireDeps, owner: string, heard: Recent, empty: () => void): Audience {
  const { jobs, queue, watch, log, now, timings = TIMINGS } = deps;
  const previews = previewsOf(deps);
  const sockets = new Set<ClientSocket>();
  /** Those among them that have been greeted. */
  const hearing = new Set<ClientSocket>();
  const followed = new Map<string, Followed>();
  /** Of unended jobs; undefined: it was sent with none. */
  const clientIds = new Map<string, string | undefined>();
  const ends = createRecent(ENDS_REMEMBERED);
  /** The last that was said. */
  let remaining = 0;
  let turns = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;

  function turn(work: () => Promise<void>): Promise<void> {
    turns = turns
      .then(work)
      .catch((error: unknown) => log.warn('socket.read_failed', { owner, error: String(error) }));
    return turns;
  }

  const hears = (socket: ClientSocket, clientId: string | undefined) =>
    clientId === undefined || socket.clientId === clientId;
  const isHere = (clientId: string | undefined) => [...sockets].some((socket) => hears(socket, clientId));

  async function count(): Promise<number> {
    const { waiting, held } = await queue.count(owner);
    return waiting + held;
  }

  /** @param known the client whose sockets have heard it */
  function announce(left: number, known?: string): void {
    if (left === remaining) return;
    remaining = left;
    for (const socket of hearing) if (socket.clientId !== known) socket.say(statusOf(left));
  }

  /** @param before what its client has heard; @param to absent: every socket of its client */
  async function say(
    job: Job,
    before: JobState | undefined,
    clientId: string | undefined,
    to?: ClientSocket,
  ) {
    const { jobId } = job.state;
    const news = clientId === undefined ? newsToAll(job, before) : await newsOf(deps, job, before);
    const left = hasEnded(job.state) ? await count() : undefined;
    for (const socket of to ? [to] : hearing) {
      if (!hears(socket, clientId)) continue;
      for (const message of news) socket.say(message);
      if (left === undefined || news.length === 0 || clientId === undefined) continue;
      socket.say(statusOf(left));
      socket.say(executingNothing(job));
      socket.confirm(() => heard.add(jobId));
    }
    if (left !== undefined) {
      ends.add(jobId);
      clientIds.delete(jobId);
      if (!to) announce(left, news.length > 0 ? clientId : undefined);
    }
  }

  function follow({ state, request }: Job, clientId: string | undefined): void {
    const { jobId } = state;
    const one: Followed = { state, request, clientId, stop: new AbortController() };
    followed.set(jobId, one);
    listen(one);
    void keepFollowing(one).finally(() => {
      one.deaf?.();
      if (followed.get(jobId) === one) followed.delete(jobId);
    });
  }

  /** To its previews, while it runs. Where its host is another process they cost calls: there only to a few at once. */
  function listen(one: Followed): void {
    const { clientId, state } = one;
    if (state.status !== 'processing') {
      one.deaf?.();
      one.deaf = undefined;
      return;
    }
    const most = !previews.isFar ? Infinity : clientId === undefined ? MAX_PREVIEWED / 2 : MAX_PREVIEWED;
    const now = [...followed.values()].filter(({ deaf }) => deaf !== undefined).length;
    if (one.deaf || now >= most) return;
    one.deaf = previews.listen(state.jobId, (preview) => {
      // Of whom nothing is known it is not known that they read metadata.
      const shown = clientId === undefined ? { ...preview, node: undefined } : preview;
      for (const socket of hearing) if (hears(socket, clientId)) socket.show(shown, promptIdOf(one));
    });
  }

  async function keepFollowing(one: Followed): Promise<void> {
    const { signal } = one.stop;
    while (!signal.aborted && !hasEnded(one.state)) {
      const next = await watch.change(one.state, timings.followerHearsEvery, signal);
      if (!next) return;
      if (next === one.state) continue;
      await turn(async () => {
        if (signal.aborted) return;
        // What could not be said is tried again.
        await say({ state: next, request: one.request }, one.state, one.clientId);
        one.state = next;
        listen(one);
      });
    }
  }

  /** Finds jobs that other processes have taken in, and how many remain. */
  async function look(): Promise<void> {
    const { waiting, held } = await unendedIn(queue, MAX_LISTED, owner);
    const unended = new Set([...held, ...waiting].map(({ jobId }) => jobId));
    announce(waiting.length < MAX_LISTED ? unended.size : await count());
    // What is listed no more and was not followed has run between two looks.
    const gone = [...clientIds.keys()].filter((jobId) => !unended.has(jobId) && !followed.has(jobId));
    const isNamed = (jobId: string) => clientIds.get(jobId) !== undefined;
    const unknown = [...unended].filter((jobId) => !clientIds.has(jobId) && !ends.has(jobId));
    for (const [jobId, request] of await readRequests(unknown)) clientIds.set(jobId, clientIdOf(request));
    const unmet = (jobIds: string[]) =>
      jobIds.filter((jobId) => !followed.has(jobId) && !ends.has(jobId) && isHere(clientIds.get(jobId)));
    // What runs comes from anywhere in the queue; what waits may wait longer.
    await meet(unmet([...gone.filter(isNamed), ...held.map(({ jobId }) => jobId)]).slice(0, MAX_FOLLOWED));
    const room = Math.max(0, MAX_FOLLOWED - followed.size);
    await meet(unmet(waiting.map(({ jobId }) => jobId).filter(isNamed)).slice(0, room));
    for (const jobId of gone) if (!isNamed(jobId) || !isHere(clientIds.get(jobId))) clientIds.delete(jobId);
  }

  async function meet(jobIds: string[]): Promise<void> {
    if (jobIds.length === 0) return;
    const requests = await readRequests(jobIds);
    const states = new Map(
      (await jobs.readStates(jobIds, { consistent: true })).map((state) => [state.jobId, state]),
    );
    for (const jobId of jobIds) {
      const state = states.get(jobId);
      const request = requests.get(jobId);
      if (!state || !request) {
        clientIds.delete(jobId);
        continue;
      }
      const clientId = clientIdOf(request);
      await say({ state, request }, undefined, clientId);
      if (!hasEnded(state)) follow({ state, request }, clientId);
    }
  }

  async function readRequests(jobIds: string[]): Promise<Map<string, JobRequest>> {
    return jobIds.length === 0 ? new Map() : jobs.readRequests(jobIds);
  }

  async function sayMissedEnds(to: ClientSocket): Promise<void> {
    const { items } = await jobs.listOwned(owner, MISSED_AMONG);
    const states = await jobs.readStates(
      items.map(({ jobId }) => jobId),
      { consistent: true },
    );
    const since = now() - MISSED_WITHIN;
    const ended = states.filter(
      ({ jobId, endedAt = 0 }) => endedAt > since && !heard.has(jobId) && !followed.has(jobId),
    );
    const requests = await readRequests(ended.map(({ jobId }) => jobId));
    for (const state of ended.toSorted((a, b) => a.endedAt! - b.endedAt!)) {
      const request = requests.get(state.jobId);
      if (request && clientIdOf(request) === to.clientId)
        await say({ state, request }, undefined, to.clientId, to);
    }
  }

  async function greet(socket: ClientSocket, isNamed: boolean): Promise<void> {
    if (!sockets.has(socket)) return;
    remaining = await count();
    socket.say(statusOf(remaining, socket.clientId));
    if (isNamed) await sayMissedEnds(socket);
    for (const { state, request, clientId } of followed.values())
      if (hears(socket, clientId)) await say({ state, request }, undefined, clientId, socket);
    if (!sockets.has(socket)) return;
    hearing.add(socket);
    await look();
  }

  function pollLater(): void {
    timer = setTimeout(() => {
      void turn(look).then(() => {
        if (sockets.size > 0) pollLater();
      });
    }, timings.watchEvery);
    timer.unref();
  }

  return {
    join(socket, isNamed) {
      if (sockets.size === 0) pollLater();
      sockets.add(socket);
      void turn(() =>
        greet(socket, isNamed).catch((error: unknown) => {
          socket.close(1011, 'The queue cannot be read now: connect again');
          throw error;
        }),
      );
    },
    leave(socket) {
      sockets.delete(socket);
      hearing.delete(socket);
      for (const { clientId, stop } of followed.values()) if (!isHere(clientId)) stop.abort();
      if (sockets.size > 0) return;
      clearTimeout(timer);
      empty();
    },
    sent(job) {
      const clientId = clientIdOf(job.request);
      const { jobId } = job.state;
      void turn(async () => {
        announce(await count());
        if (clientId === undefined || !isHere(clientId) || followed.has(jobId) || ends.has(jobId)) return;
        await say(job, undefined, clientId);
        if (!hasEnded(job.state)) follow(job, clientId);
      });
    },
  };
}
