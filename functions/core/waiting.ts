// What a queued job waits for: a code for programs, a phrase for people, and for about how long. Pure.

import type { Estimate } from './estimate.ts';
import { isDue } from './job.ts';
import type { ComfyUIKind, JobState } from './job-state.ts';
import { type Missing, neededOf } from './missing-requirements.ts';

export type WaitingCode =
  /** A host holds it; its ComfyUI runs another first. */
  | 'comfyui_turn'
  /** It was accepted for a real ComfyUI, and this one is simulated, or the reverse. */
  | 'comfyui_kind'
  /** It came back from a ComfyUI that did not run it. */
  | 'retry'
  | 'free_slot'
  | 'host_starting'
  | 'host_blocked'
  | 'comfyui_silent'
  | 'comfyui_trouble'
  /** No host so far has all node classes and models of its graph. */
  | 'missing_requirements';

export interface Waiting {
  code: WaitingCode;
  /** Completes “it waits for …”, in English. */
  phrase: string;
  /** What the code does not say, in English: why no host can be started, or what troubles ComfyUI. */
  detail?: string;
  /** Whole seconds until it is over; absent where that is not known. */
  seconds?: number;
}

/** Of a queued job by its own state; undefined: it waits for a host. @param kind of the one ComfyUI here @param now ms */
export function waitOfState(
  state: JobState,
  kind: ComfyUIKind | undefined,
  now: number,
): Waiting | undefined {
  if (state.host !== undefined) return { code: 'comfyui_turn', phrase: 'its turn in ComfyUI' };
  if (kind && state.acceptedFor && state.acceptedFor !== kind)
    return {
      code: 'comfyui_kind',
      phrase: `a ${state.acceptedFor} ComfyUI, which it was accepted for: this one is ${kind}`,
    };
  if (isDue(state, now)) return undefined;
  const seconds = Math.ceil((state.retryAt! - now) / 1000);
  return {
    code: 'retry',
    phrase: `its next try, in ${seconds} s: a ComfyUI that took it gave it back`,
    seconds,
  };
}

/** Of a job that no host holds. @param missing what hosts that skip it do not have, as far as it is known */
export function waitForHost(estimate: Estimate, jobId: string, missing: readonly Missing[] = []): Waiting {
  if (estimate.unrunnable?.has(jobId))
    return {
      code: 'missing_requirements',
      phrase: neededOf(missing) ?? 'a gpu host with its models and nodes: each host so far misses one',
    };
  if (estimate.ready > 0) return { code: 'free_slot', phrase: 'a free slot' };
  if (estimate.blocked) {
    const { reason } = estimate.blocked;
    return { code: 'host_blocked', phrase: `no gpu host can be started: ${reason}`, detail: reason };
  }
  const [soonest] = estimate.startingIn;
  if (soonest !== undefined)
    return { code: 'host_starting', phrase: 'gpu host starting', seconds: Math.ceil(soonest) };
  const { trouble } = estimate;
  return trouble === undefined
    ? { code: 'comfyui_silent', phrase: 'ComfyUI to answer' }
    : { code: 'comfyui_trouble', phrase: `ComfyUI to run jobs again: ${trouble}`, detail: trouble };
}
