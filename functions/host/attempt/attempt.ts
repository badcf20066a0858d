// One attempt at a job, from the claim to the write that ends it: stage, submit once, follow, upload, report.
// It always ends with a confirmed write, or with the knowledge that another run holds the job.

import { type ComfyUI, ComfyUIError, ComfyUISilent, describeNodeErrors } from '../../comfyui/client.ts';
import {
  account,
  type Change,
  complete,
  fail,
  type Failure,
  isHeldBy,
  type JobOutput,
  lose,
  type Noted,
  type Release,
  release,
  spend,
  type Spent,
} from '../../core/job.ts';
import { promptTag } from '../../core/prompt-tag.ts';
import { attemptPromptId, stampOf } from '../../core/names.ts';
import type { Graph } from '../../core/object-info.ts';
import { type Outcome, outcomeOf, ranFor } from '../../core/outcome.ts';
import { stamp } from '../../core/render.ts';
import { extraDataOf } from '../../core/request.ts';
import { traceIdOf } from '../../core/trace.ts';
import type { Images } from '../../images/images.ts';
import type { Ledger } from '../../store/ledgers.ts';
import type { Timings } from '../../core/timings.ts';
import type { ImageMetadata } from '../../images/structure/walk.ts';
import { type Claimed, hasStarted } from '../claims/claim.ts';
import type { ComfyUIHealth } from '../prompts/health.ts';
import type { Cleanup } from '../prompts/cleanup.ts';
import type { FollowedPrompt, Poller } from '../prompts/poller.ts';
import type { HeldJob, Stop } from '../claims/held-job.ts';
import type { InputStaging } from '../inputs/staging.ts';
import { removeForeignPrompt, removePrompt, withdrawPrompt } from '../prompts/removal.ts';
import { createReports, type Reports } from './reports.ts';
import { writeConfirmed, type Confirmation, type Writer, untilAnswered } from '../claims/confirmed-write.ts';
import type { Orphans } from '../prompts/orphans.ts';
import type { Stats } from './stats.ts';
import type { FixedDeps } from './fixed-names.ts';
import { UnfitOutput } from './unfit-output.ts';
import { collectOutputs, OutputsGone } from './upload.ts';

export interface AttemptDeps extends Writer {
  comfyui: ComfyUI;
  poller: Poller;
  images: Images;
  staging: InputStaging;
  taken: FixedDeps['taken'];
  otherPrompts: FixedDeps['otherPrompts'];
  /** Whether the metadata that ComfyUI writes into an image is published with it. */
  imageMetadata?: ImageMetadata | undefined;
  machineId: string;
  /** The client id of the socket that is open now. */
  clientId(): string;
  timings: Timings;
  health: Pick<ComfyUIHealth, 'prompted' | 'inputsStored' | 'ignoredPromptId' | 'inventory'>;
  now(): number;
  /** Milliseconds that this machine has been awake since some moment. */
  awake(): number;
  /** What this machine costs, if known. */
  usdPerHour?: number | undefined;
  stats: Pick<Stats, 'ended'>;
  ledger: Pick<Ledger, 'ended'>;
  cleanup: Cleanup;
  orphans: Pick<Orphans, 'suspect'>;
  /** Called when the job frees its slot. */
  slotFreed(): void;
}

interface Attempt {
  deps: AttemptDeps;
  heldJob: HeldJob;
  claimed: Claimed;
  graph: Graph;
  promptId: string;
  prompt: FollowedPrompt;
  reports: Reports;
  /** GPU time of the attempt, ms, once ComfyUI has reported it. */
  gpuMs?: number;
}

/** Why a job that has not started leaves a ComfyUI that is silent. */
export const NOT_ANSWERING = 'its ComfyUI does not answer';
const ENDED_COMFYUI = 'its ComfyUI ended with it';
const VANISHED = 'ComfyUI restarted or forgot it';

/** @param posted true for an adopted job: its prompt is in ComfyUI already */
export async function runAttempt(
  deps: AttemptDeps,
  heldJob: HeldJob,
  claimed: Claimed,
  graph: Graph,
  posted: boolean,
): Promise<void> {
  const promptId = attemptPromptId(heldJob.jobId, claimed.fence.attempt);
  heldJob.hold(claimed);
  const reports = createReports(deps, heldJob, claimed, graph);
  heldJob.work(promptId, graph, reports, deps.awake());
  const prompt = deps.poller.follow(promptId, reports);
  const attempt: Attempt = { deps, heldJob, claimed, graph, promptId, prompt, reports };
  // An adopted prompt may not have read them yet.
  const release = deps.staging.hold(claimed.request.staging);
  try {
    const refusal = posted ? undefined : await post(attempt);
    if (refusal && 'aside' in refusal) return await giveBack(attempt, refusal.aside, { spaced: true });
    if (refusal) return await reportFailure(attempt, refusal);
    if (posted) prompt.expect(true);
    await follow(attempt);
  } finally {
    prompt.stop();
    release();
    deps.cleanup.ofAttempt(heldJob.jobId, claimed.fence.attempt);
  }
}

/** Returns undefined if the prompt is posted, or may be: it is never posted twice. `aside`: this ComfyUI cannot take it now. */
async function post(attempt: Attempt): Promise<Failure | { aside: string } | undefined> {
  const { deps, heldJob, claimed, graph, promptId, prompt } = attempt;
  const { jobId } = heldJob;
  const { staging } = claimed.request;
  if (staging.length > 0) {
    const brokenOff = new AbortController();
    void Promise.race([heldJob.stopped, heldJob.drained]).then(() => brokenOff.abort());
    const staged = await deps.staging.stage(staging, jobId, brokenOff.signal);
    // `follow` handles the reason.
    if (staged === 'broken-off') return undefined;
    if (staged !== 'staged' && 'refused' in staged)
      return {
        code: 'input_refused',
        message: `ComfyUI refused a file that the job reads: ${staged.refused}`,
      };
    deps.health.inputsStored(staged === 'staged' || !('aside' in staged) ? undefined : staged.aside);
    if (staged !== 'staged' && 'aside' in staged) return staged;
    if (staged !== 'staged')
      return { code: 'input_gone', message: `A file that the job reads is gone: ${staged.gone}` };
    // Staging takes time: a job that was cancelled during it is not posted.
    const state = await deps.jobs.readState(jobId);
    if (!state || !isHeldBy(state, claimed.fence)) {
      heldJob.stop('gone');
      return undefined;
    }
  }
  const clientId = deps.clientId();
  heldJob.posted(clientId);
  try {
    const submission = await deps.comfyui.submit({
      graph: stamp(graph, jobId, claimed.fence.attempt, staging, deps.health.inventory?.nodes),
      promptId,
      clientId,
      extraData: {
        // The canvas, which nodes write into images.
        ...extraDataOf(claimed.request),
        ...promptTag(
          { machine: deps.machineId, jobId, attempt: claimed.fence.attempt },
          traceIdOf(claimed.request),
        ),
      },
    });
    deps.health.prompted(undefined);
    if (!submission.accepted)
      return { code: 'refused_by_comfyui', message: `ComfyUI refused the workflow: ${submission.message}` };
    if (submission.promptId !== promptId) {
      deps.health.ignoredPromptId();
      await removeForeignPrompt(deps.comfyui, submission.promptId, deps.log);
      return { aside: 'its ComfyUI ignores the prompt_id that it is given' };
    }
    prompt.expect(true);
    const partly = describeNodeErrors(submission.nodeErrors);
    if (partly === undefined) return undefined;
    // Fewer images than requested is a failure.
    await tryRemoving(attempt);
    return { code: 'refused_by_comfyui', message: `ComfyUI refused a part of the workflow: ${partly}` };
  } catch (error) {
    if (!(error instanceof ComfyUISilent)) throw error;
    deps.health.prompted(error);
    prompt.expect(!error.answered && !error.nobodyThere);
    deps.log.warn('prompt.unanswered', { jobId, promptId, error: error.message });
    return undefined;
  }
}

async function follow(attempt: Attempt): Promise<void> {
  const { deps, heldJob, prompt, promptId } = attempt;
  const ended = prompt.ended;
  const stopped = heldJob.stopped.then((reason) => ({ kind: 'stopped' as const, reason }));
  const drained = heldJob.drained.then((reason) => ({ kind: 'drained' as const, reason }));

  let ending = await Promise.race([ended, stopped, drained]);
  if (ending.kind === 'drained') {
    // It may have crashed ComfyUI: it counts as started, or it would crash one ComfyUI after another.
    if (ending.reason === NOT_ANSWERING && prompt.mayHaveEndedComfyUI() && !hasStarted(attempt.claimed)) {
      deps.orphans.suspect(promptId);
      return giveBackAsStarted(attempt, ENDED_COMFYUI);
    }
    // A node may block ComfyUI's interpreter from the start, so that the start is never reported.
    const mayRun = ending.reason === NOT_ANSWERING && prompt.isNext();
    if (!hasStarted(attempt.claimed) && !mayRun && (await withdraw(attempt)))
      return giveBack(attempt, ending.reason);
    ending = await Promise.race([ended, stopped]);
  }
  if (ending.kind === 'stopped') return breakOff(attempt, ending.reason);
  if (ending.kind === 'vanished')
    return prompt.mayHaveEndedComfyUI()
      ? giveBackAsStarted(attempt, VANISHED)
      : giveBack(attempt, VANISHED, { spaced: true });
  // ComfyUI took it, even if its answer to POST /prompt was lost.
  deps.health.prompted(undefined);
  if (ending.kind === 'unreadable') {
    deps.cleanup.ofPrompt(promptId);
    return reportFailure(attempt, {
      code: 'unreadable_result',
      message: `ComfyUI ended the job, but its history entry cannot be read: ${ending.reason}`,
    });
  }

  const outcome = outcomeOf(ending.entry, stampOf(heldJob.jobId, attempt.claimed.fence.attempt));
  attempt.gpuMs = ranFor(ending.entry) ?? heldJob.ranFor();
  if (outcome.kind === 'lost') return giveBack(attempt, outcome.reason);
  if (outcome.kind === 'failed') await reportFailure(attempt, outcome.failure);
  else await publish(attempt, outcome);
  deps.cleanup.ofPrompt(promptId);
}

async function publish(attempt: Attempt, { outputs }: Extract<Outcome, { kind: 'outputs' }>): Promise<void> {
  const { heldJob, claimed, graph, reports } = attempt;
  // The template's setting comes before the host's.
  const imageMetadata = claimed.request.imageMetadata ?? attempt.deps.imageMetadata;
  const deps = { ...attempt.deps, imageMetadata };
  heldJob.upload();
  // A prompt that was never seen running has started too: its outputs exist.
  reports.started();
  deps.slotFreed();
  try {
    const published = await collectOutputs(deps, heldJob, claimed.fence.attempt, graph, outputs);
    if (!published) return breakOff(attempt, await heldJob.stopped);
    const state = { ...claimed.state, ...(await reports.settleStart()) };
    const spent = { ...spentBy(attempt), ...(imageMetadata === 'strip' && notesOn(published)) };
    const change = complete(state, claimed.fence, published, reports.lastSteps(), deps.now(), spent);
    report(attempt, 'completed', change, await writeConfirmed(deps, heldJob.jobId, change, claimed.fence));
  } catch (error) {
    if (error instanceof UnfitOutput) return await reportFailure(attempt, error.failure);
    if (!(error instanceof OutputsGone)) throw error;
    await giveBack(attempt, error.message);
  }
}

/** Where images are stripped the graph may be meant to stay out of other files too. */
function notesOn(published: readonly JobOutput[]): Noted {
  const kept = published.filter((output) => !isStrippable(output)).map(({ filename }) => filename);
  if (kept.length === 0) return {};
  const names = [...kept.slice(0, 3), ...(kept.length > 3 ? [`${kept.length - 3} more`] : [])].join(', ');
  return {
    notes: [
      `Published with the metadata that ComfyUI wrote, since only PNG, JPEG and WebP are stripped: ${names}`,
    ],
  };
}

function isStrippable({ kind, contentType }: JobOutput): boolean {
  return kind === 'text' || /^image\/(png|jpeg|webp)$/.test(contentType);
}

async function reportFailure(attempt: Attempt, failure: Failure): Promise<void> {
  const { deps, heldJob, claimed, reports } = attempt;
  await reports.reported();
  const change = fail(claimed.state, claimed.fence, failure, deps.now(), spentBy(attempt));
  report(attempt, 'failed', change, await writeConfirmed(deps, heldJob.jobId, change, claimed.fence));
}

function report(
  { deps, heldJob, claimed, gpuMs }: Attempt,
  as: 'completed' | 'failed',
  { set }: Change,
  settled: Confirmation,
): void {
  const ms = gpuMs ?? heldJob.ranFor();
  const about = { jobId: heldJob.jobId, hostId: claimed.fence.host, attempt: claimed.fence.attempt };
  const traceId = traceIdOf(claimed.request);
  if (settled !== 'written') deps.log.warn('attempt.fenced_out', about);
  else if (as === 'completed') deps.log.info('job.completed', { ...about, ms, traceId });
  else deps.log.info('job.failed', { ...about, ms, code: set.errorCode, traceId });
  if (settled === 'written') deps.ledger.ended({ ...claimed.state, ...set });
  deps.stats.ended(as, settled, heldJob.jobId, ms);
}

/** GPU time and cost: as ComfyUI reports it for a prompt that ended, since its start for one that did not. */
function spentBy({ deps, heldJob, claimed, gpuMs }: Attempt): Spent {
  return spend(claimed.state, gpuMs ?? heldJob.ranFor(), deps.usdPerHour);
}

async function breakOff(attempt: Attempt, reason: Stop): Promise<void> {
  attempt.prompt.stop();
  await tryRemoving(attempt);
  if (typeof reason === 'object' && 'overdue' in reason) await giveBack(attempt, reason.overdue);
  if (typeof reason === 'object' && 'stuck' in reason) {
    // The job may have ended ComfyUI's worker, so the attempt counts as lost. Its time is free: nothing ran.
    attempt.gpuMs = 0;
    await giveBackAsStarted(attempt, reason.stuck);
  }
  if (typeof reason === 'object' && 'tooLong' in reason)
    await reportFailure(attempt, { code: 'took_too_long', message: reason.tooLong });
  if (reason === 'gone') await accountCancelled(attempt);
  if (reason === 'silent') await giveBack(attempt, 'the GPU host was stopped and its ComfyUI did not answer');
}

/** A cancelled job is charged for the GPU time until its cancellation. */
async function accountCancelled(attempt: Attempt): Promise<void> {
  const { deps, heldJob, claimed } = attempt;
  const { fence } = claimed;
  const spent = spentBy(attempt);
  if ((spent.gpuMs ?? 0) <= (claimed.state.gpuMs ?? 0)) return;
  await untilAnswered(deps, heldJob.jobId, 'account', async () => {
    const state = await deps.jobs.readState(heldJob.jobId);
    // A refused write is fine: the job has moved on, or is charged already.
    if (state?.status === 'cancelled' && state.attempt === fence.attempt)
      await deps.jobs.write(heldJob.jobId, account(claimed.state, fence, spent));
  });
}

/** Returns true if the prompt has not run as far as is known. If ComfyUI does not answer, it is removed as an orphan later. */
async function withdraw({ deps, promptId }: Attempt): Promise<boolean> {
  try {
    return await withdrawPrompt(deps.comfyui, promptId);
  } catch (error) {
    if (!(error instanceof ComfyUIError)) throw error;
    deps.orphans.suspect(promptId);
    return true;
  }
}

/** If it cannot be removed now, a later poll removes it as an orphan. */
async function tryRemoving({ deps, heldJob, promptId }: Attempt): Promise<void> {
  try {
    if (await removePrompt(deps.comfyui, promptId, deps.pause)) return;
  } catch (error) {
    deps.log.warn('prompt.removal_failed', { jobId: heldJob.jobId, promptId, error: String(error) });
  }
  deps.orphans.suspect(promptId);
}

/** Ends the attempt without a result: the job goes back to the queue. It counts as lost only if it had started. */
async function giveBack(attempt: Attempt, reason: string, how: Release = {}): Promise<void> {
  await attempt.reports.reported();
  await giveBackJob(attempt.deps, attempt.heldJob, attempt.claimed, reason, how, spentBy(attempt));
}

/** Counts the attempt as lost though its start was not seen: a job that crashes ComfyUI must not come back for ever. */
async function giveBackAsStarted(attempt: Attempt, reason: string): Promise<void> {
  attempt.reports.started();
  await giveBack(attempt, reason);
}

/** Writes the job back to the queue, also after an error in this program: no job stays held without an attempt. */
export async function giveBackJob(
  deps: Writer & Pick<AttemptDeps, 'now' | 'stats' | 'ledger'>,
  heldJob: HeldJob,
  claimed: Claimed,
  reason: string,
  how: Release,
  spent: Spent = {},
): Promise<void> {
  const { jobId } = heldJob;
  const { fence } = claimed;
  const started = hasStarted(claimed);
  const traceId = traceIdOf(claimed.request);
  const about = { jobId, hostId: fence.host, attempt: fence.attempt, reason, traceId };
  if (started) deps.log.warn('attempt.lost', about);
  else deps.log.info('attempt.released', about);
  const write = async (change: Change) => {
    const settled = await writeConfirmed(deps, jobId, change, fence);
    if (settled === 'written') deps.ledger.ended({ ...claimed.state, ...change.set });
    return settled;
  };
  if (!started && (await write(release(claimed.state, fence, deps.now(), how))) !== 'refused') return;
  const settled = await write(lose(claimed.state, fence, reason, deps.now(), spent));
  const before = claimed.state.gpuMs ?? 0;
  deps.stats.ended('lost', settled, jobId, (spent.gpuMs ?? before) - before);
}
