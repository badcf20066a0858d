// What was asked for: the part of a job that is written once, before the job is accepted, and never changes.

import { createHash } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import { parseJson, stringifyJson } from './json.ts';
import type { Graph } from './object-info.ts';
import type { Staging } from './render.ts';
import type { InputValues } from './template.ts';

export interface JobRequest {
  jobId: string;
  owner: string;
  workflow: string;
  inputs: InputValues;
  notes: string[];
  /** Of the caller's body: the same idempotency key with another body is a mistake. */
  bodyHash: string;
  /** The input that is the seed, where it has another name than that. */
  seedInput?: string;
  staging: Staging[];
  /** Where the template says whether its images keep what ComfyUI writes into them about their making. */
  imageMetadata?: 'keep' | 'strip';
  /** Whom to tell when the job has ended. */
  webhookUrl?: string;
  /** The rendered graph, gzipped JSON; absent where it is so large that it lies in the bucket, at `graphKey`. */
  graph?: Uint8Array;
  graphKey?: string;
  /** Of those bytes: rendered again they must be the same. */
  graphHash?: string;
}

export function packGraph(graph: Graph): Uint8Array {
  return gzipSync(stringifyJson(graph));
}

export function unpackGraph(packed: Uint8Array): Graph {
  return parseJson(gunzipSync(packed).toString('utf8')) as Graph;
}

export function hashBytes(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Independent of the order of the body's keys. */
export function hashBody(body: Record<string, unknown>): string {
  const sorted = Object.fromEntries(Object.entries(body).sort(([a], [b]) => (a < b ? -1 : 1)));
  return createHash('sha256').update(stringifyJson(sorted)).digest('hex');
}
