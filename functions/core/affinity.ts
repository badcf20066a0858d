// Which waiting job a host takes next: the first in the queue's order, but before it one whose models its ComfyUI has
// loaded. How often a job may be passed over for that is bounded. Source: docs/decisions/7-affinity.md. Pure.

import { createHash } from 'node:crypto';
import { PASSED_OVER_AT_MOST } from './limits.ts';
import { type Graph, isModelFile, modelsOf } from './object-info.ts';

/** Inputs by which loaders name the largest file of a graph; what is put upon it (a LoRA, a VAE) comes and goes in less time. */
const BASE_INPUTS = ['ckpt_name', 'unet_name'];

/**
 * Graphs with the same tag need the same models loaded: their checkpoints, or all their model files where no input names
 * one. Undefined: the graph needs none, and any ComfyUI is as good.
 */
export function modelsTagOf(graph: Graph): string | undefined {
  const base = Object.values(graph).flatMap(({ inputs }) =>
    BASE_INPUTS.map((name) => inputs[name]).filter(isModelFile),
  );
  const files = base.length > 0 ? [...new Set(base)].sort() : modelsOf(graph);
  return files.length === 0
    ? undefined
    : createHash('sha256').update(files.join('\0')).digest('hex').slice(0, 8);
}

/** A waiting job that a host may take. */
export interface Candidate {
  jobId: string;
  /** Absent: it needs no model. */
  models?: string | undefined;
}

export interface Choice<T> {
  job: T;
  /** Jobs before it that are passed over once more if it is claimed. */
  over: T[];
}

export interface Circumstances<T extends Candidate> {
  /** Tag of what its ComfyUI has loaded; undefined: nothing is known to be. */
  loaded: string | undefined;
  /** How often this host has passed a job over. */
  timesPassed(jobId: string): number;
  /** Whether a host that has its models loaded will take this job in a moment. */
  isLeft(job: T): boolean;
}

/** @param candidates in the queue's order */
export function choose<T extends Candidate>(
  candidates: readonly T[],
  { loaded, timesPassed, isLeft }: Circumstances<T>,
): Choice<T> | undefined {
  const over: T[] = [];
  for (const job of candidates) {
    if (loaded === undefined || job.models === undefined || job.models === loaded) return { job, over };
    // Only what is before it may go first from now on.
    if (timesPassed(job.jobId) >= PASSED_OVER_AT_MOST) break;
    over.push(job);
  }
  const first = candidates.find((job) => !isLeft(job));
  return first && { job: first, over: [] };
}
