// Which job a call gets. OpenAI's SDKs repeat a call whose answer did not come, and say only that they do (`x-stainless-retry-count`):
// such a repetition takes a call over that asked for the same within the last minutes, whose answer has not got through and for which
// no client waits any more. So ten equal calls have ten jobs, and after the server was killed each repetition gets one of them. A
// client's own Idempotency-Key says by itself which call it is.

import type { Context } from 'hono';
import { AppError } from '../../core/errors.ts';
import type { Call, Same } from '../../store/calls.ts';
import type { ApiEnv } from '../deps.ts';
import type { FacadeDeps } from '../facade/deps.ts';
import { idempotencyKeyOf } from '../http/idempotency-key.ts';

/** ms. A call is taken over for so long after it came. */
const JOINED_WITHIN = 15 * 60_000;
/** ms. A process that waits says so often that it does; what it waited for is free when it has not said so for a while. */
const SAYS_SO_EVERY = 1500;
const BELIEVED_FOR = 5000;
/** ms. That a client is gone is seen within this by the process that answered it. */
const NOTICED_WITHIN = 1000;
const LOOKS_AGAIN = 200;

/** The call that an answer is for. */
export interface Turn {
  /** The idempotency key of its nth job, from 0. */
  keyOf(job: number): string;
  /** Once; what comes later counts for nothing. @param got whether the answer has got through */
  end(got: boolean): void;
}

export interface Repetitions {
  /** @param bodyHash of what was sent @throws AppError */
  turnOf(c: Context<ApiEnv>, bodyHash: string): Promise<Turn>;
}

export function createRepetitions(deps: FacadeDeps): Repetitions {
  const { calls, now, log } = deps;
  const me = Buffer.from(deps.random(9)).toString('hex');
  /** Calls for which this process waits. */
  const waiting = new Set<string>();
  const freed = new EventTarget();
  let saidUntil = 0;
  let timer: NodeJS.Timeout | undefined;

  async function sayAlive(): Promise<void> {
    const until = now() + BELIEVED_FOR;
    await calls.alive(me, until);
    saidUntil = until;
  }

  /** Before a call is said to be waited for by this process, and as long as one is. */
  async function beAlive(): Promise<void> {
    timer ??= setInterval(() => {
      if (waiting.size > 0) void sayAlive().catch(failed);
      else {
        clearInterval(timer);
        timer = undefined;
      }
    }, SAYS_SO_EVERY).unref();
    if (saidUntil - now() < BELIEVED_FOR - SAYS_SO_EVERY) await sayAlive();
  }

  const failed = (error: unknown) => log.warn('calls.write_failed', { error: String(error) });

  function isFree({ callId, waiter }: Call, aliveUntil: ReadonlyMap<string, number>): boolean {
    // Also one that another repetition is taking over at this moment.
    if (waiting.has(callId)) return false;
    return waiter === '' || waiter === me || (aliveUntil.get(waiter) ?? 0) <= now();
  }

  /** Undefined: none is to be had. */
  async function takeOver(same: Same, signal: AbortSignal): Promise<Call | undefined> {
    const since = performance.now();
    for (;;) {
      const known = (await calls.list(same)).filter(({ at }) => at > now() - JOINED_WITHIN);
      const others = known.map(({ waiter }) => waiter).filter((waiter) => waiter !== '' && waiter !== me);
      const aliveUntil = await calls.aliveUntil(others);
      for (const call of known) {
        if (!isFree(call, aliveUntil)) continue;
        waiting.add(call.callId);
        if (await calls.hand(same, call, me)) return { ...call, waiter: me };
        waiting.delete(call.callId);
      }
      // A client may be gone before its process has seen it, and a process before its time is over.
      const within = others.length > 0 ? BELIEVED_FOR + NOTICED_WITHIN : NOTICED_WITHIN;
      if (known.length === 0 || performance.now() - since > within) return undefined;
      await pause(signal);
      if (signal.aborted) throw Object.assign(new Error('The client is gone'), { code: 'ECONNRESET' });
    }
  }

  function pause(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const go = () => {
        clearTimeout(late);
        freed.removeEventListener('freed', go);
        signal.removeEventListener('abort', go);
        resolve();
      };
      const late = setTimeout(go, LOOKS_AGAIN);
      freed.addEventListener('freed', go);
      signal.addEventListener('abort', go);
    });
  }

  async function begin(same: Same): Promise<Call> {
    const call = { callId: Buffer.from(deps.random(12)).toString('hex'), at: now(), waiter: me };
    waiting.add(call.callId);
    if (await calls.add(same, call)) return call;
    for (const old of await calls.list(same))
      if (old.at <= now() - JOINED_WITHIN) await calls.remove(same, old.callId);
    if (await calls.add(same, call)) return call;
    waiting.delete(call.callId);
    throw new AppError('too_many_waiting', 'Too many calls with this body wait for their answers');
  }

  function turnOfCall(same: Same, call: Call): Turn {
    let ended = false;
    return {
      // No caller's own key has a blank.
      keyOf: (job) => `call ${call.callId} ${job}`,
      end(got) {
        if (ended) return;
        ended = true;
        const written = got ? calls.remove(same, call.callId) : calls.hand(same, call, '');
        void written.catch(failed).then(() => {
          waiting.delete(call.callId);
          freed.dispatchEvent(new Event('freed'));
        });
      },
    };
  }

  return {
    async turnOf(c, bodyHash) {
      const key = idempotencyKeyOf(c);
      if (key !== undefined)
        return { keyOf: (job) => (job === 0 ? key : `${key} ${job}`), end: () => undefined };
      const same = { owner: c.get('caller').owner, bodyHash };
      await beAlive();
      const isRepetition = Number(c.req.header('x-stainless-retry-count') ?? 0) > 0;
      const before = isRepetition ? await takeOver(same, c.req.raw.signal) : undefined;
      return turnOfCall(same, before ?? (await begin(same)));
    },
  };
}
