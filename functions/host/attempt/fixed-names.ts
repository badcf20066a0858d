// Files with a name that every run of a graph writes: which of them this attempt made.

import { setTimeout as sleep } from 'node:timers/promises';
import type { ComfyUI, ViewedFile } from '../../comfyui/client.ts';
import type { OutputFile } from '../../core/outcome.ts';
import { unfit } from './unfit-output.ts';

export interface FixedDeps {
  comfyui: Pick<ComfyUI, 'viewHead'>;
  /** Of all attempts of the host: output files with a fixed name, in one version each, and the jobs that reported them. */
  taken: Map<string, Set<string>>;
}

const TAKEN_REMEMBERED = 1000;
/** A prompt that ran within the same milliseconds has reported its files by then, ms. */
const CLAIMED_WITHIN = 2000;

/**
 * ComfyUI runs one prompt at a time: a file written between a prompt's start and end is that prompt's. A file written in
 * the milliseconds of the start may be of the prompt before, since file times are coarse: it is refused
 * if another job reports the same version of it.
 */
export async function takeFixed(
  { comfyui, taken }: FixedDeps,
  jobId: string,
  outputs: readonly OutputFile[],
): Promise<void> {
  const doubtful: { output: OutputFile; jobs: Set<string> }[] = [];
  for (const output of outputs) {
    if (output.own === 'stamped') continue;
    const { etag, written } = (await comfyui.viewHead(output)) ?? {};
    const file = [output.type, output.subfolder, output.filename, etag].join('\0');
    const jobs = taken.get(file) ?? new Set<string>();
    jobs.add(jobId);
    taken.delete(file);
    if (taken.size >= TAKEN_REMEMBERED) taken.delete(taken.keys().next().value!);
    taken.set(file, jobs);
    if (written && written.at <= output.own.from + written.within) doubtful.push({ output, jobs });
  }
  if (doubtful.length > 0) await sleep(CLAIMED_WITHIN);
  for (const { output, jobs } of doubtful)
    if (jobs.size > 1)
      throw unfit(output, 'may be of another run, which began in the same moment', 'output_not_own');
}

/** The kernel's file times lag by some milliseconds. */
const CLOCK_SLACK = 20;

/** A file with a fixed name is this attempt's only if it was last written while the prompt ran. @throws UnfitOutput */
export function checkBirth(output: OutputFile, { written }: ViewedFile): void {
  if (output.own === 'stamped') return;
  if (!written)
    throw unfit(
      output,
      'may be of another run: its name is fixed, and a proxy before ComfyUI hides when it was written',
      'output_not_own',
    );
  const { from, to } = output.own;
  if (written.at < from - CLOCK_SLACK - written.within || written.at > to)
    throw unfit(
      output,
      'was written by another run: its name is fixed, so every run writes it',
      'output_not_own',
    );
}
