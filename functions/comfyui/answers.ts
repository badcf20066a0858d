// Schemas of the parts of ComfyUI's answers that are used here. Everything else is tolerated, since it changes from version
// to version and custom nodes add to it. Source: docs/comfyui.md.

import * as z from 'zod';
import type { ObjectInfo } from '../core/object-info.ts';
import { isRecord, recordOf } from '../core/json-value.ts';

const object = z.record(z.string(), z.unknown());
/** An object; any other value counts as an empty one. */
const objectOrNone = z.unknown().transform(recordOf);

/** An entry of ComfyUI's queue. */
export interface QueueItem {
  promptId: string;
  extraData: Record<string, unknown>;
}

/** `[number, prompt id, graph, extra data, outputs]`. Entries without an id are dropped. */
const items = z.array(z.unknown()).transform((list) =>
  list.flatMap((one): QueueItem[] => {
    if (!Array.isArray(one) || typeof one[1] !== 'string') return [];
    return [{ promptId: one[1], extraData: recordOf(one[3]) }];
  }),
);

export const queueAnswer = z.object({ queue_running: items, queue_pending: items });

type Message = [string, Record<string, unknown>];

const messages = z
  .array(z.unknown())
  .catch([])
  .transform((list) =>
    list.filter(
      (one): one is Message => Array.isArray(one) && typeof one[0] === 'string' && isRecord(one[1]),
    ),
  );

/** `{}` for a prompt that waits, runs or is unknown. */
export const historyAnswer = object;

export const historyEntry = z.object({
  /** Node → media key (`images`, `gifs`, …) → files, or other values that the node shows. */
  outputs: object.transform(
    (outputs) =>
      Object.fromEntries(Object.entries(outputs).filter(([, output]) => isRecord(output))) as Record<
        string,
        Record<string, unknown>
      >,
  ),
  status: z.object({ status_str: z.string(), completed: z.boolean().catch(false), messages }),
});

export type HistoryEntry = z.output<typeof historyEntry>;

const text = z.string().catch('');

const nodeError = z.object({
  class_type: text,
  errors: z
    .array(
      z.object({ type: text, message: text, details: text }).catch({ type: '', message: '', details: '' }),
    )
    .catch([]),
});

export type NodeError = z.output<typeof nodeError>;

/** Node id → its errors. Without any, ComfyUI writes `{}` or `[]`. */
export const nodeErrors = objectOrNone.transform((errors) =>
  Object.fromEntries(
    Object.entries(errors).map(([node, error]): [string, NodeError] => [
      node,
      nodeError.catch({ class_type: '', errors: [] }).parse(error),
    ]),
  ),
);

/** The answer to an accepted POST /prompt. */
export const promptAnswer = z.object({ prompt_id: z.string(), node_errors: nodeErrors });

/** The `node_errors` of a refused one. */
export const promptRefusal = z
  .object({ node_errors: nodeErrors })
  .transform((body) => body.node_errors)
  .catch({});

export const uploadAnswer = z.object({ name: z.string() });

/** Bytes of memory; 0 where a driver reports none. */
const bytes = z.number().nonnegative().catch(0);
const device = z.looseObject({
  name: z
    .string()
    .transform((name) => name.slice(0, 200))
    .catch('unknown'),
  type: z.string().catch('unknown'),
  vram_total: bytes,
  vram_free: bytes,
});

export const systemStatsAnswer = z.object({
  system: z.looseObject({
    comfyui_version: z
      .string()
      .transform((version) => version.slice(0, 100))
      .optional()
      .catch(undefined),
  }),
  devices: z
    .array(z.unknown())
    .transform((list) => list.slice(0, 64).flatMap((one) => (isRecord(one) ? [device.parse(one)] : []))),
});

export type SystemStats = z.output<typeof systemStatsAnswer>;

/** The answer to POST …/cancel: whether it stopped a waiting or running prompt. */
export const cancelAnswer = z.object({ cancelled: z.boolean() });

/** Names; other values are dropped. */
export const namesAnswer = z
  .array(z.unknown())
  .transform((list) => list.filter((one): one is string => typeof one === 'string'));

export const objectInfoAnswer = object.transform(
  (nodes) => Object.fromEntries(Object.entries(nodes).filter(([, node]) => isRecord(node))) as ObjectInfo,
);
