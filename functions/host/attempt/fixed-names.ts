// Files with a name that every run of a graph writes: which of them this attempt made.

import { setTimeout as sleep } from 'node:timers/promises';
import type { ComfyUI, ViewedFile } from '../../comfyui/client.ts';
import type { OutputFile } from '../../core/outcome.ts';
import { unfit } from './unfit-output.ts';

export interface FixedDeps {
  comfyui: Pick<ComfyUI, 'viewHead'>;
  /** Of all attempts of the host: output files with a fixed name, in one version each, and the jobs that reported them. */
  taken: Map<string, Set<string>>;
  /** Whether the host holds jobs beside this one: a prompt may have begun when its ended. */
  holdsOthers(): boolean;
}

const TAKEN_REMEMBERED = 1000;
/** A prompt that ran within the same milliseconds has reported its files by then, ms. */
const CLAIMED_WITHIN = 2000;
/** The kernel's file times lag by some milliseconds. */
const CLOCK_SLACK = 20;

const versionOf = (output: OutputFile, etag: string | undefined) =>
  [output.type, output.subfolder, output.filename, etag].join('\0');

/**
 * ComfyUI runs one prompt at a time: a file written between a prompt's start and end is that prompt's. A file written in
 * the milliseconds of its start or end may be of the prompt before or after it, since file times are coarse: it is refused
 * if another job reports the same version of it.
 */
export async function takeFixed(
  { comfyui, taken, holdsOthers }: FixedDeps,
  jobId: string,
  outputs: readonly OutputFile[],
): Promise<void> {
  const doubtful: { output: OutputFile; jobs: Set<string> }[] = [];
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
    const { from, to } = output.own;
    const atStart = written.at <= from + written.within;
    const atEnd = written.at + written.within >= to - CLOCK_SLACK;
    if (atStart || (atEnd && (jobs.size > 1 || holdsOthers()))) doubtful.push({ output, jobs });
  }
  if (doubtful.length > 0) await sleep(CLAIMED_WITHIN);
  for (const { output, jobs } of doubtful)
    if (jobs.size > 1)
      throw unfit(output, 'may be of another run, which ran in the same moment', 'output_not_own');
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
