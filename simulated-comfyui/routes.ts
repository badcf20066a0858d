// The routes: each reads its input, calls queue, executor or folders, and answers.
// Unknown paths answer as in ComfyUI: 404 to a GET, 405 to anything else.
import { randomUUID } from 'node:crypto';
import type { Dialect } from './dialect.ts';
import type { Executor } from './executor.ts';
import type { Faults } from './faults.ts';
import type { Folders } from './folders.ts';
import { type ExtraData, isRecord } from './graph.ts';
import {
  type Exchange,
  type Handler,
  readJson,
  sendEmpty,
  sendJson,
  sendServerError,
  sendText,
} from './http.ts';
import { findJob, listJobs } from './jobs.ts';
import { Bare } from './python-json.ts';
import { PythonError, str, toFloat, toInt } from './python-text.ts';
import type { PromptQueue } from './queue.ts';
import { nodeReplacements, replaceNodes } from './replacements.ts';
import { systemStats } from './system-stats.ts';
import { uploadImage } from './upload.ts';
import { validatePrompt } from './validation.ts';
import { view } from './view.ts';

export interface Parts {
  dialect: Dialect;
  queue: PromptQueue;
  executor: Executor;
  folders: Folders;
  faults: Faults;
  /** The number of the next prompt; refused prompts use one up too. */
  counter: { next: number };
}

/** Keys are "METHOD /path"; one part of a path may be `*`. */
export function routesOf(parts: Parts): Map<string, Handler> {
  const { dialect, queue, executor, folders, faults } = parts;
  const { catalogue } = dialect;
  const info = () => ({ exec_info: { queue_remaining: queue.remaining } });
  const newer: [string, Handler][] = [
    ['GET /node_replacements', ({ response }) => sendJson(response, 200, nodeReplacements())],
    ['POST /api/jobs/cancel', (exchange) => cancelJobs(exchange, parts)],
    [
      'POST /api/jobs/*/cancel',
      ({ response, name }) => sendJson(response, 200, { cancelled: cancelJob(name, parts) }),
    ],
  ];
  return new Map<string, Handler>([
    ['GET /', ({ response }) => sendText(response, 200, 'This is a simulated ComfyUI.\n')],
    ['GET /ws', ({ response }) => sendText(response, 400, 'No WebSocket UPGRADE hdr: undefined')],
    ['GET /system_stats', ({ response }) => sendJson(response, 200, systemStats(dialect))],
    ['GET /features', ({ response }) => sendJson(response, 200, dialect.features)],
    ['GET /embeddings', ({ response }) => sendJson(response, 200, [])],
    ['GET /extensions', ({ response }) => sendJson(response, 200, [])],
    ['GET /models', ({ response }) => sendJson(response, 200, catalogue.modelFolders)],
    ['GET /models/*', (exchange) => models(exchange, dialect)],
    [
      'GET /object_info',
      async ({ response }) => sendJson(response, 200, await catalogue.objectInfo(folders.input)),
    ],
    [
      'GET /object_info/*',
      async ({ response, name }) => sendJson(response, 200, await catalogue.objectInfo(folders.input, name)),
    ],
    ['GET /prompt', ({ response }) => sendJson(response, 200, info())],
    ['POST /prompt', (exchange) => postPrompt(exchange, parts)],
    [
      'GET /queue',
      ({ response }) =>
        sendJson(response, 200, {
          queue_running: queue.running,
          queue_pending: faults.nanInQueue ? [...queue.pending, strangersNaN] : queue.pending,
        }),
    ],
    [
      'POST /queue',
      ({ request, response }) =>
        editList(
          request,
          response,
          () => queue.clear(),
          (ids) => ids.forEach((id) => queue.delete(id)),
        ),
    ],
    ['GET /history', ({ response, query }) => sendJson(response, 200, history(queue, query))],
    ['GET /history/*', (exchange) => historyOf(exchange, parts)],
    [
      'POST /history',
      ({ request, response }) =>
        editList(
          request,
          response,
          () => queue.forgetHistory(),
          (ids) => queue.forgetHistory(ids),
        ),
    ],
    ['POST /interrupt', (exchange) => interrupt(exchange, executor)],
    ['POST /free', (exchange) => free(exchange, executor)],
    ['GET /view', (exchange) => view(exchange, folders, faults, dialect)],
    ['POST /upload/image', (exchange) => uploadImage(exchange, folders)],
    ['GET /api/jobs', ({ response, query }) => jobs(response, listJobs(queue, query, dialect))],
    ['GET /api/jobs/*', ({ response, name }) => job(response, findJob(queue, name, dialect))],
    ...(dialect.newer ? newer : []),
  ]);
}

type Response = Exchange['response'];

function models({ response, name }: Exchange, { catalogue }: Dialect): void {
  const files = catalogue.modelFiles(name);
  if (files === undefined) sendEmpty(response, 404);
  else sendJson(response, 200, files);
}

function jobs(response: Response, answer: object): void {
  sendJson(response, 'error' in answer ? 400 : 200, answer);
}

function job(response: Response, found: object | undefined): void {
  if (found === undefined) sendJson(response, 404, { error: 'Job not found' });
  else sendJson(response, 200, found);
}

function history(queue: PromptQueue, query: URLSearchParams): object {
  const max = query.get('max_items');
  const offset = query.get('offset');
  return queue.history(
    max === null ? undefined : Number(toInt(max)),
    offset === null ? -1 : Number(toInt(offset)),
  );
}

function historyOf({ response, name }: Exchange, { queue, faults }: Parts): void {
  const found = queue.historyOf(name);
  const how = name in found ? faults.unreadable(name) : undefined;
  if (how === undefined) return sendJson(response, 200, found);
  if (how === '500') return sendServerError(response);
  if (how === 'null') return sendJson(response, 200, { [name]: null });
  if (how === 'no status') return sendJson(response, 200, { [name]: { outputs: {}, status: null } });
  response.writeHead(200, { 'Content-Type': 'application/json; charset=utf-8' }).end('{"a":');
}

const strangersNaN = [
  1e6,
  'another',
  { 1: { class_type: 'ImageScaleBy', inputs: { scale_by: new Bare('NaN') } } },
  {},
  ['1'],
];

async function editList(
  request: Exchange['request'],
  response: Response,
  clear: () => void,
  remove: (ids: string[]) => void,
): Promise<void> {
  const body = (await readJson(request)) as { clear?: unknown; delete?: unknown };
  if (body.clear) clear();
  if (Array.isArray(body.delete)) remove(body.delete.map(str));
  sendEmpty(response, 200);
}

async function interrupt({ request, response }: Exchange, executor: Executor): Promise<void> {
  // Without a body, or with one that is not JSON, the running prompt is interrupted.
  const body = await readJson(request).catch(() => ({}));
  const promptId = isRecord(body) ? body['prompt_id'] : undefined;
  executor.interrupt(typeof promptId === 'string' && promptId !== '' ? promptId : undefined);
  sendEmpty(response, 200);
}

async function free({ request, response }: Exchange, executor: Executor): Promise<void> {
  const body = (await readJson(request)) as { free_memory?: unknown };
  if (body.free_memory) executor.free();
  sendEmpty(response, 200);
}

/** Cancels a running or pending prompt; returns whether it was one of the two. */
function cancelJob(id: string, { queue, executor }: Parts): boolean {
  return executor.interrupt(id) || queue.delete(id);
}

async function cancelJobs({ request, response }: Exchange, parts: Parts): Promise<void> {
  let body: unknown;
  try {
    body = await readJson(request);
  } catch {
    return sendJson(response, 400, { error: 'Request body must be valid JSON' });
  }
  const ids = isRecord(body) ? body['job_ids'] : undefined;
  if (!Array.isArray(ids)) return sendJson(response, 400, { error: 'job_ids must be a list' });
  const invalid_ids = ids.filter((id) => !isJobId(id)).map(str);
  if (invalid_ids.length > 0)
    return sendJson(response, 400, { error: 'job_ids contains invalid id(s)', invalid_ids });
  const cancelled = ids.map((id: string) => cancelJob(id, parts)).includes(true);
  sendJson(response, 200, { cancelled });
}

/** The only spelling that 0.33 accepts, because ids are compared as strings. */
const isJobId = (id: unknown): id is string =>
  typeof id === 'string' && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id);

async function postPrompt({ request, response }: Exchange, parts: Parts): Promise<void> {
  const { dialect, queue, folders, faults, counter } = parts;
  const body = await readJson(request);
  if (typeof body !== 'object' || body === null) throw new PythonError('TypeError', 'the body is no object');
  const asked = body as Record<string, unknown>;
  let number: number;
  if ('number' in asked) {
    const given = toFloat(asked['number']);
    number = given instanceof Bare ? Number(given.word) : given;
  } else number = (asked['front'] ? -1 : 1) * counter.next++ || 0;
  if (!('prompt' in asked)) {
    const words = 'No prompt provided';
    const error = { type: 'no_prompt', message: words, details: words, extra_info: {} };
    return sendJson(response, 400, { error, node_errors: {} });
  }
  const promptId = promptIdOf(asked, dialect);
  if (promptId === undefined) return sendJson(response, 400, { error: invalidPromptId, node_errors: {} });
  const targets = asked['partial_execution_targets'] ?? null;
  if (targets !== null && !Array.isArray(targets)) throw new PythonError('TypeError', 'not iterable');
  if (dialect.newer) replaceNodes(asked['prompt'], dialect.catalogue);
  const exists = (name: string) => folders.hasInput(name, dialect.newer);
  const verdict = validatePrompt(asked['prompt'], dialect, exists, targets);
  const extraData = extraDataOf(asked);
  if (!verdict.ok) return sendJson(response, 400, { error: verdict.error, node_errors: verdict.nodeErrors });
  extraData['create_time'] = Date.now();
  faults.queued(promptId);
  queue.put([number, promptId, verdict.graph, extraData, verdict.outputs]);
  if (faults.losePromptAnswer) request.socket.destroy();
  else sendJson(response, 200, { prompt_id: promptId, number, node_errors: verdict.nodeErrors });
}

/** Returns undefined if the id is not accepted. */
function promptIdOf(asked: Record<string, unknown>, { newer }: Dialect): string | undefined {
  const id = asked['prompt_id'];
  if (!newer) return 'prompt_id' in asked ? str(id) : randomUUID();
  if (id === undefined || id === null) return randomUUID();
  return isJobId(id) ? id : undefined;
}

const invalidPromptId = {
  type: 'invalid_prompt_id',
  message: 'prompt_id must be a valid UUID',
  details:
    'prompt_id must be a UUID string in canonical lowercase hyphenated form; omit it to let the server generate one',
  extra_info: {},
};

function extraDataOf(asked: Record<string, unknown>): ExtraData {
  const given = asked['extra_data'] ?? {};
  if (!isRecord(given)) throw new PythonError('TypeError', 'extra_data is no object');
  const { auth_token_comfy_org: _token, api_key_comfy_org: _key, ...extraData } = given;
  return 'client_id' in asked ? { ...extraData, client_id: asked['client_id'] } : extraData;
}
