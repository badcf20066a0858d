// A job's request: written once, before the job is accepted, and never changed.

import { createHash } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import { parseJson, stringifyJson } from './json.ts';
import type { Labels } from './labels.ts';
import type { Graph } from './object-info.ts';
import type { Priority } from './priority.ts';
import type { Staging } from './render.ts';
import type { InputValues } from './template.ts';
import type { Trace } from './trace.ts';

/** The workflow of a job whose graph came with its request; no file has such a name. */
export const OWN_GRAPH = '(graph)';

/** What ComfyUI's wire gives back of a prompt. */
export interface WirePrompt {
  /** The client's own; absent: the job's id. */
  promptId?: string;
  /** Gzipped JSON of its `extra_data`. */
  extraData: Uint8Array;
  /** The output nodes that run; none where no host had reported its nodes. */
  outputs: string[];
  /** The graph is only what these need of the one that was sent. */
  isPart?: true;
}

export interface JobRequest {
  jobId: string;
  owner: string;
  /** A template's name, or OWN_GRAPH. */
  workflow: string;
  inputs: InputValues;
  notes: string[];
  /** Hash of the caller's body: the same idempotency key with another body is refused. */
  bodyHash: string;
  /** The name of the seed input; absent: `seed`. */
  seedInput?: string;
  staging: Staging[];
  /** The template's choice whether published images keep the metadata that ComfyUI writes. Absent: the host's setting. */
  imageMetadata?: 'keep' | 'strip';
  /** The endpoint that is notified when the job has ended. */
  webhookUrl?: string;
  /** In whose words it is notified. Absent: this API's own. */
  webhookAs?: 'runpod';
  /** Absent: none. */
  metadata?: Labels;
  /** Its caller's; absent: none came with the request. */
  trace?: Trace;
  /** Absent: normal. */
  priority?: Exclude<Priority, 'normal'>;
  /** The most that an attempt of it may run, ms. Absent: as long as every job. */
  runLimit?: number;
  /** Of a job that came as a prompt over ComfyUI's wire. */
  wire?: WirePrompt;
  /** How many nodes its graph has. Absent where an earlier release wrote it. */
  nodeCount?: number;
  /** The rendered graph, gzipped JSON; absent where it is large and stored in the bucket at `graphKey`. */
  graph?: Uint8Array;
  graphKey?: string;
  /** The tag of the models that the graph needs (affinity.ts). Absent: none, or an earlier release wrote it. */
  models?: string;
  /** Hash of those bytes: a repetition must render the same. */
  graphHash?: string;
}

/** Gzipped JSON. */
export function packGraph(graph: Graph): Uint8Array {
  return gzipSync(stringifyJson(graph));
}

/** The graph of `packGraph`. @throws where the bytes are damaged */
export function unpackGraph(packed: Uint8Array): Graph {
  return parseJson(gunzipSync(packed).toString('utf8')) as Graph;
}

/** As its client sent it, `client_id` included; of a job of another API there is none. */
export function extraDataOf({ wire }: Pick<JobRequest, 'wire'>): Record<string, unknown> {
  if (!wire) return {};
  return parseJson(gunzipSync(wire.extraData).toString('utf8')) as Record<string, unknown>;
}

/** SHA-256, hex. */
export function hashBytes(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Independent of the order of the body's keys. */
export function hashBody(body: Record<string, unknown>): string {
  const sorted = Object.fromEntries(Object.entries(body).sort(([a], [b]) => (a < b ? -1 : 1)));
  return createHash('sha256').update(stringifyJson(sorted)).digest('hex');
}
