// Files with a name that every run of a graph writes: which of them this attempt made.

import { setTimeout as sleep } from 'node:timers/promises';
import type { ComfyUI, HistoryEntry, ViewedFile } from '../../comfyui/client.ts';
import { isText, listedIn, pathOf } from '../../core/listed-outputs.ts';
import { type OutputFile, runOf } from '../../core/outcome.ts';
import { unfit } from './unfit-output.ts';

export interface FixedDeps {
  comfyui: Pick<ComfyUI, 'viewHead' | 'history'>;
  /** Of all attempts of the host: output files with a fixed name, in one version each, and the jobs that reported them. */
  taken: Map<string, Set<string>>;
  /** Prompts of the other jobs that the host holds: one may have begun when this job's ended. */
  otherPrompts(jobId: string): string[];
}

const TAKEN_REMEMBERED = 1000;
/** A prompt that ran within the same milliseconds has ended in ComfyUI by then, ms. */
const CLAIMED_WITHIN = 2000;
/** The kernel's file times lag by some milliseconds. */
const CLOCK_SLACK = 20;

const versionOf = (output: OutputFile, etag: string | undefined) => [pathOf(output), etag].join('\0');

/** When a file was last written, as a time of the GPU host's clock and how coarse it is, ms. */
type Written = NonNullable<ViewedFile['written']>;

/**
 * ComfyUI runs one prompt at a time: a file written between a prompt's start and end is that prompt's. A file written in
 * the milliseconds of its start or end may be of the prompt before or after it, since file times are coarse: it is refused
 * if another job reports the same version of it, or ComfyUI says that another prompt of that moment wrote that name.
 */
export async function takeFixed(
  { comfyui, taken, otherPrompts }: FixedDeps,
  jobId: string,
  outputs: readonly OutputFile[],
): Promise<void> {
  const others = otherPrompts(jobId);
  const doubtful: { output: OutputFile; written: Written; jobs: Set<string> }[] = [];
  for (const output of outputs) {
    if (output.own === 'stamped') continue;
    const { etag, written } = (await comfyui.viewHead(output)) ?? {};
    const file = versionOf(output, etag);
    const jobs = taken.get(file) ?? new Set<string>();
    jobs.add(jobId);
    taken.delete(file);
    if (taken.size >= TAKEN_REMEMBERED) taken.delete(taken.keys().next().value!);
    taken.set(file, jobs);
    if (!written) continue;
    const atStart = written.at <= output.own.from + written.within;
    const atEnd = written.at + written.within >= output.own.to - CLOCK_SLACK;
    if (atStart || (atEnd && (jobs.size > 1 || others.length > 0))) doubtful.push({ output, written, jobs });
  }
  if (doubtful.length === 0) return;
  await sleep(CLAIMED_WITHIN);
  // Of a prompt whose end this host has not seen yet nothing is taken.
  const entries = await Promise.all(others.map((promptId) => comfyui.history(promptId)));
  for (const { output, written, jobs } of doubtful)
    if (jobs.size > 1 || entries.some((entry) => entry && mayHaveWritten(entry, output, written)))
      throw unfit(output, 'may be of another run, which ran in the same moment', 'output_not_own');
}

function mayHaveWritten(entry: HistoryEntry, output: OutputFile, { at, within }: Written): boolean {
  const run = runOf(entry);
  const isReported = listedIn(entry.outputs).some((one) => !isText(one) && pathOf(one) === pathOf(output));
  return isReported && (!run || (at >= run.from - CLOCK_SLACK - within && at <= run.to));
}

/**
 * A file with a fixed name is this attempt's only if it was last written while the prompt ran, and is the version that
 * `takeFixed` saw. @throws UnfitOutput
 */
export function checkBirth(
  { taken }: Pick<FixedDeps, 'taken'>,
  jobId: string,
  output: OutputFile,
  { written, etag }: ViewedFile,
): void {
  if (output.own === 'stamped') return;
  if (!written)
    throw unfit(
      output,
      'may be of another run: its name is fixed, and a proxy before ComfyUI hides when it was written',
      'output_not_own',
    );
  const { from, to } = output.own;
  const isTaken = taken.get(versionOf(output, etag))?.has(jobId);
  if (!isTaken || written.at < from - CLOCK_SLACK - written.within || written.at > to)
    throw unfit(
      output,
      'was written by another run: its name is fixed, so every run writes it',
      'output_not_own',
    );
}
