// GET /api/jobs: queue and history as one list.
// Stores nothing of its own.
import type { Dialect } from './dialect.ts';
import { isRecord, type ExtraData, type QueueItem } from './graph.ts';
import { PythonError } from './python-text.ts';
import type { HistoryEntry, PromptQueue } from './queue.ts';

type Status = 'pending' | 'in_progress' | 'completed' | 'failed' | 'cancelled';
const statusesOf = ({ newer }: Dialect): string[] => [
  ...(['pending', 'in_progress', 'completed', 'failed'] satisfies Status[]),
  // 0.8 lists an interrupted one as failed.
  ...(newer ? (['cancelled'] satisfies Status[]) : []),
];
const previewable = ['images', 'video', 'audio', '3d', 'text'];

export interface Job {
  id: string;
  status: Status;
  priority: number;
  create_time: number;
  outputs_count: number;
  execution_start_time?: number;
  execution_end_time?: number;
  [more: string]: unknown;
}

/** A list of jobs, or why the request is refused. */
export function listJobs(
  queue: PromptQueue,
  query: URLSearchParams,
  dialect: Dialect,
): object | { error: string } {
  const statuses = statusesOf(dialect);
  const wanted = query
    .get('status')
    ?.split(',')
    .map((status) => status.trim().toLowerCase())
    .filter((status) => status !== '');
  const strangers = wanted?.filter((status) => !statuses.includes(status)) ?? [];
  if (strangers.length > 0)
    return {
      error: `Invalid status value(s): ${strangers.join(', ')}. Valid values: ${statuses.join(', ')}`,
    };
  const sortBy = query.get('sort_by')?.toLowerCase() ?? 'created_at';
  if (sortBy !== 'created_at' && sortBy !== 'execution_duration')
    return { error: "sort_by must be 'created_at' or 'execution_duration'" };
  const sortOrder = query.get('sort_order')?.toLowerCase() ?? 'desc';
  if (sortOrder !== 'asc' && sortOrder !== 'desc') return { error: "sort_order must be 'asc' or 'desc'" };
  const limit = integer(query.get('limit'));
  if (Number.isNaN(limit)) return { error: 'limit must be an integer' };
  if (limit !== null && limit <= 0) return { error: 'limit must be a positive integer' };
  const asked = integer(query.get('offset')) ?? 0;
  if (Number.isNaN(asked)) return { error: 'offset must be an integer' };

  const offset = Math.max(0, asked);
  const workflow = query.get('workflow_id');
  const key = (job: Job) =>
    sortBy === 'created_at'
      ? job.create_time
      : (job.execution_end_time ?? 0) - (job.execution_start_time ?? 0);
  const direction = sortOrder === 'desc' ? -1 : 1;
  const all = [
    ...queue.running.map((item) => waiting(item, 'in_progress', dialect)),
    ...queue.pending.map((item) => waiting(item, 'pending', dialect)),
    ...Object.values(queue.history()).map((entry) => ended(entry, dialect)),
  ]
    .filter((job) => (wanted ?? statuses).includes(job.status))
    .filter((job) => !workflow || job['workflow_id'] === workflow)
    .sort((a, b) => direction * (key(a) - key(b)));
  const jobs = all.slice(offset, limit === null ? undefined : offset + limit);
  const has_more = offset + jobs.length < all.length;
  return { jobs, pagination: { offset, limit, total: all.length, has_more } };
}

export function findJob(queue: PromptQueue, id: string, dialect: Dialect): Job | undefined {
  const entry = queue.historyOf(id)[id];
  if (entry !== undefined) {
    const [, , prompt, extra_data] = entry.prompt;
    const workflow = { prompt, extra_data };
    return { ...ended(entry, dialect), outputs: entry.outputs, execution_status: entry.status, workflow };
  }
  const running = queue.running.find((item) => item[1] === id);
  if (running !== undefined) return waiting(running, 'in_progress', dialect);
  const pending = queue.pending.find((item) => item[1] === id);
  return pending === undefined ? undefined : waiting(pending, 'pending', dialect);
}

function integer(text: string | null): number | null {
  if (text === null) return null;
  return /^\s*[+-]?\d+\s*$/.test(text) ? Number(text) : Number.NaN;
}

/** A single prompt whose `extra_pnginfo` is null makes the whole list a 500. */
function workflowId(extraData: ExtraData): string | undefined {
  let inner: unknown = extraData;
  for (const key of ['extra_pnginfo', 'workflow', 'id']) {
    if (!isRecord(inner)) throw new PythonError('AttributeError', "no attribute 'get'");
    if (!Object.hasOwn(inner, key)) return undefined;
    inner = inner[key];
  }
  return typeof inner === 'string' ? inner : undefined;
}

function waiting([priority, id, , extraData]: QueueItem, status: Status, { newer }: Dialect): Job {
  return {
    id,
    status,
    priority,
    create_time: extraData['create_time'] as number,
    outputs_count: 0,
    ...(newer && { previewable_outputs_count: 0 }),
    workflow_id: workflowId(extraData),
  };
}

function ended({ prompt, outputs, status }: HistoryEntry, dialect: Dialect): Job {
  const find = (...events: string[]) => status.messages.find(([event]) => events.includes(event))?.[1];
  const files = Object.entries(outputs).flatMap(([nodeId, kinds]) =>
    Object.entries(kinds as Record<string, unknown>).flatMap(([mediaType, items]) =>
      mediaType !== 'animated' && Array.isArray(items)
        ? items.filter(isRecord).map((item): Record<string, unknown> => ({ ...item, nodeId, mediaType }))
        : [],
    ),
  );
  const failed = dialect.newer && find('execution_interrupted') !== undefined ? 'cancelled' : 'failed';
  return {
    ...waiting(prompt, status.completed ? 'completed' : failed, dialect),
    execution_start_time: find('execution_start')?.timestamp,
    execution_end_time: find('execution_success', 'execution_error', 'execution_interrupted')?.timestamp,
    execution_error: find('execution_error'),
    outputs_count: files.length,
    ...(dialect.newer && {
      previewable_outputs_count: files.filter(({ mediaType }) => previewable.includes(String(mediaType)))
        .length,
    }),
    preview_output: files.find((file) => file['type'] === 'output') ?? files[0],
  };
}
