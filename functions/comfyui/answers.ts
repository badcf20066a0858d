// What ComfyUI's answers must have for us, and no more: the rest is tolerated, for it changes from version to version,
// and custom nodes write into it what they like. Source: docs/comfyui.md.

import * as z from 'zod';
import type { ObjectInfo } from '../core/object-info.ts';

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const object = z.record(z.string(), z.unknown());
/** An object where there is one; whatever else stands there says nothing. */
const objectOrNone = z.unknown().transform((value) => (isObject(value) ? value : {}));

/** An entry of ComfyUI's queue. */
export interface QueueItem {
  promptId: string;
  extraData: Record<string, unknown>;
}

/** `[number, prompt id, graph, extra data, outputs]`. What has no id in its place is nobody's. */
const items = z.array(z.unknown()).transform((list) =>
  list.flatMap((one): QueueItem[] => {
    if (!Array.isArray(one) || typeof one[1] !== 'string') return [];
    return [{ promptId: one[1], extraData: isObject(one[3]) ? one[3] : {} }];
  }),
);

export const queueAnswer = z.object({ queue_running: items, queue_pending: items });

type Message = [string, Record<string, unknown>];

const messages = z
  .array(z.unknown())
  .catch([])
  .transform((list) =>
    list.filter(
      (one): one is Message => Array.isArray(one) && typeof one[0] === 'string' && isObject(one[1]),
    ),
  );

/** `{}` for a prompt that waits, runs or is unknown. */
export const historyAnswer = object;

export const historyEntry = z.object({
  /** Node → media key (`images`, `gifs`, …) → files, or whatever else the node shows. */
  outputs: object.transform(
    (outputs) =>
      Object.fromEntries(Object.entries(outputs).filter(([, output]) => isObject(output))) as Record<
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

/** Node id → what is wrong with it. Where nothing is, ComfyUI writes `{}` or `[]`. */
export const nodeErrors = objectOrNone.transform((errors) =>
  Object.fromEntries(
    Object.entries(errors).map(([node, error]): [string, NodeError] => [
      node,
      nodeError.catch({ class_type: '', errors: [] }).parse(error),
    ]),
  ),
);

/** Of a POST /prompt that was taken. */
export const promptAnswer = z.object({ prompt_id: z.string(), node_errors: nodeErrors });

/** Of one that was refused: what stands beside `error`. */
export const promptRefusal = z
  .object({ node_errors: nodeErrors })
  .transform((body) => body.node_errors)
  .catch({});

export const uploadAnswer = z.object({ name: z.string() });

/** Bytes of memory; some drivers say none. */
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
    .transform((list) => list.slice(0, 64).flatMap((one) => (isObject(one) ? [device.parse(one)] : []))),
});

export type SystemStats = z.output<typeof systemStatsAnswer>;

/** Of a POST …/cancel: whether the prompt waited or ran, and does so no more. */
export const cancelAnswer = z.object({ cancelled: z.boolean() });

/** Names; what is none is left out. */
export const namesAnswer = z
  .array(z.unknown())
  .transform((list) => list.filter((one): one is string => typeof one === 'string'));

export const objectInfoAnswer = object.transform(
  (nodes) => Object.fromEntries(Object.entries(nodes).filter(([, node]) => isObject(node))) as ObjectInfo,
);
