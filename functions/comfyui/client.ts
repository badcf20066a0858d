// ComfyUI over HTTP: reports its answers, decides nothing. Every call has a time limit and every answer a size limit; every
// failure is one of three errors (errors.ts). Source: docs/comfyui.md, "On the wire".

import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type * as z from 'zod';
import type { ComfyUIAddress } from '../core/comfyui-address.ts';
import { stringifyJson } from '../core/json.ts';
import { IDLE_AFTER } from '../core/limits.ts';
import type { Graph } from '../core/object-info.ts';
import { TIMINGS } from '../core/timings.ts';
import {
  cancelAnswer,
  historyAnswer,
  type HistoryEntry,
  historyEntry,
  namesAnswer,
  type NodeError,
  objectInfoAnswer,
  promptAnswer,
  promptRefusal,
  queueAnswer,
  type QueueItem,
  type SystemStats,
  systemStatsAnswer,
  uploadAnswer,
} from './answers.ts';
import { ComfyUIBroken, ComfyUIRefused, ComfyUISilent } from './errors.ts';
import { type Answer, type Call, createHttp, type LongBody } from './http.ts';
import { discard, readAnswer, readRefusal, reasonIn, refuseUnlessOk } from './read.ts';

export type { HistoryEntry, NodeError, QueueItem, SystemStats } from './answers.ts';
export { ComfyUIError, ComfyUIBroken, ComfyUIRefused, ComfyUISilent } from './errors.ts';

export interface OutputFile {
  filename: string;
  subfolder: string;
  type: string;
}

/** `promptId`: ComfyUI's; before 0.8 it differs from the requested one. */
export type Submission =
  | { accepted: true; promptId: string; nodeErrors: Record<string, NodeError> }
  | { accepted: false; message: string; nodeErrors: Record<string, NodeError> };

/** The simulated ComfyUI has it in its version. */
export function isSimulated(stats: SystemStats): boolean {
  return stats.system.comfyui_version?.endsWith('simulated') ?? false;
}

/** Size limits of answers, MiB. The queue contains graphs, into which people paste images. */
const BOUNDS = { queue: 96, objectInfo: 64, other: 16 };

/** Refusals of POST /prompt that concern the client's access, or another program on the port, not the graph. */
const NOT_OF_THE_PROMPT = [401, 404, 405, 407];

export type ComfyUI = ReturnType<typeof createComfyUI>;

/** @param address a URL without a trailing slash, or one with the headers of its proxy; @param timeout ms per call */
export function createComfyUI(address: string | ComfyUIAddress, timeout = TIMINGS.comfyuiAnswersWithin) {
  const { url, headers } = typeof address === 'string' ? { url: address, headers: {} } : address;

  const http = createHttp(url, headers);
  const call = (what: string, path: string, init: Call = {}, limit = timeout) =>
    http(what, path, init, limit);

  async function read<Schema extends z.ZodType>(
    path: string,
    schema: Schema,
    { what = `GET ${path}`, bound = BOUNDS.other, limit = timeout } = {},
  ): Promise<z.output<Schema>> {
    return readAnswer(what, await call(what, path, {}, limit), schema, bound);
  }

  async function post(path: string, body: unknown): Promise<void> {
    const what = `POST ${path}`;
    const response = await call(what, path, jsonBody(body));
    await refuseUnlessOk(what, response);
    await discard(response);
  }

  const deleteQueued = (promptIds: string[]) => post('/queue', { delete: promptIds });
  const interrupt = (promptId: string) => post('/interrupt', { prompt_id: promptId });

  /** False: the route does not exist (before 0.33), or it is refused. */
  async function cancelJob(promptId: string): Promise<boolean> {
    const what = 'POST /api/jobs/cancel';
    const response = await call(what, `/api/jobs/${promptId}/cancel`, { method: 'POST' });
    try {
      await readAnswer(what, response, cancelAnswer, BOUNDS.other);
      return true;
    } catch (error) {
      if (error instanceof ComfyUIRefused || error instanceof ComfyUIBroken) return false;
      throw error;
    }
  }

  return {
    url,
    headers,

    /**
     * Call it once for each prompt id: ComfyUI runs an id that is posted twice two times.
     * @throws ComfyUISilent where it is unknown whether ComfyUI accepted it; includes every 5xx and pages of a proxy
     */
    async submit(prompt: {
      graph: Graph;
      promptId: string;
      clientId: string;
      extraData: Record<string, unknown>;
    }): Promise<Submission> {
      const what = 'POST /prompt';
      const response = await call(
        what,
        '/prompt',
        jsonBody({
          prompt: prompt.graph,
          prompt_id: prompt.promptId,
          client_id: prompt.clientId,
          extra_data: prompt.extraData,
        }),
      );
      if (response.status === 400) {
        const body = await readRefusal(response);
        const nodeErrors = promptRefusal.parse(body);
        // A person would fix the first node's first error first.
        const message = describeNodeErrors(nodeErrors) ?? (reasonIn(body) || 'no reason given');
        return { accepted: false, message, nodeErrors };
      }
      try {
        const answer = await readAnswer(what, response, promptAnswer, BOUNDS.other);
        return { accepted: true, promptId: answer.prompt_id, nodeErrors: answer.node_errors };
      } catch (error) {
        if (error instanceof ComfyUIRefused && !NOT_OF_THE_PROMPT.includes(error.status))
          return { accepted: false, message: error.reason || `it answered ${error.status}`, nodeErrors: {} };
        if (error instanceof ComfyUIBroken || error instanceof ComfyUIRefused)
          throw new ComfyUISilent(`${what} as ComfyUI does (${error.message})`, { cause: error }, true);
        throw error;
      }
    },

    queue: async (): Promise<{ running: QueueItem[]; pending: QueueItem[] }> => {
      const { queue_running: running, queue_pending: pending } = await read('/queue', queueAnswer, {
        bound: BOUNDS.queue,
      });
      return { running, pending };
    },

    /** Undefined: the prompt waits, runs or is unknown. @throws ComfyUIBroken also for an unreadable entry */
    async history(promptId: string): Promise<HistoryEntry | undefined> {
      const what = 'GET /history';
      const { [promptId]: entry } = await read(`/history/${promptId}`, historyAnswer, { what });
      if (entry === undefined) return undefined;
      const parsed = historyEntry.safeParse(entry);
      if (parsed.success) return parsed.data;
      const where = parsed.error.issues[0]?.path.join('.').slice(0, 100);
      throw new ComfyUIBroken(what, `the entry is not as ComfyUI's${where ? ` at ${where}` : ''}`);
    },

    deleteQueued,
    interrupt,

    /**
     * Removes prompts from the queue, or interrupts them while they run. 0.33 does it under the lock of its queue; before,
     * another prompt may begin between ComfyUI's check and its interrupt, and be interrupted. Read the queue afterwards: a
     * prompt that has just begun may ignore the interrupt, and one that was posted twice is removed once.
     */
    async cancel(promptIds: string[]): Promise<void> {
      for (const [at, promptId] of promptIds.entries()) {
        if (await cancelJob(promptId)) continue;
        const left = promptIds.slice(at);
        await deleteQueued(left);
        for (const one of left) await interrupt(one);
        return;
      }
    },

    deleteHistory: (promptIds: string[]) => post('/history', { delete: promptIds }),

    /**
     * The file from byte `from`; undefined: it is gone. The caller reads the body or cancels it. A body that brings
     * nothing for IDLE_AFTER fails with ComfyUISilent.
     * @param ifRange the `etag` of the expected file; if the file changed, all of it is sent
     */
    async view(file: OutputFile, { from = 0, ifRange }: { from?: number; ifRange?: string } = {}) {
      const what = 'GET /view';
      const wanted = {
        ...(from > 0 && { range: `bytes=${from}-` }),
        ...(ifRange !== undefined && { 'if-range': ifRange }),
      };
      const path = `/view?${viewQuery(file)}`;
      const answer = await http(what, path, { headers: wanted }, IDLE_AFTER, 'headers');
      const { status, body } = answer;
      if (status === 404) {
        body.resume();
        return undefined;
      }
      await refuseUnlessOk(what, answer);
      const cancel = () => void body.destroy();
      return { ...describeFile(answer), body: watched(body), cancel, partial: status === 206 };
    },

    /** The description that `view` would return now, without the bytes. */
    async viewHead(file: OutputFile): Promise<ViewedFile | undefined> {
      const answer = await call('HEAD /view', `/view?${viewQuery(file)}`, { method: 'HEAD' });
      if (answer.status !== 404) await refuseUnlessOk('HEAD /view', answer);
      await discard(answer);
      if (answer.status === 404) return undefined;
      return describeFile(answer);
    },

    /**
     * @throws ComfyUIRefused where it does not accept the file, ComfyUIBroken where it cannot store it, or as the bytes do:
     * it stores nothing then
     */
    async uploadInput(name: string, bytes: LongBody): Promise<void> {
      const what = 'POST /upload/image';
      const { type, ...body } = formOf(name, bytes);
      const headers = { 'content-type': type };
      const response = await call(what, '/upload/image', { method: 'POST', headers, body }, IDLE_AFTER);
      const answer = await readAnswer(what, response, uploadAnswer, BOUNDS.other);
      if (answer.name !== name) throw new ComfyUIBroken(what, 'it stored it under another name');
    },

    /** @throws ComfyUISilent or ComfyUIBroken also where another program answers on its port */
    systemStats: (limit?: number) => read('/system_stats', systemStatsAnswer, { limit }),
    models: () => read('/models', namesAnswer),
    modelsIn: (folder: string) =>
      read(`/models/${encodeURIComponent(folder)}`, namesAnswer, { what: 'GET /models' }),
    /** @param limit ms: it reads folders and may import modules, which takes a while */
    objectInfo: (limit = timeout * 3) =>
      read('/object_info', objectInfoAnswer, { bound: BOUNDS.objectInfo, limit }),
  };
}

function jsonBody(body: unknown): Call {
  return { method: 'POST', headers: { 'content-type': 'application/json' }, body: stringifyJson(body) };
}

/** A form of ComfyUI's POST /upload/image, which is sent while its file comes. @param name without quotes */
function formOf(name: string, { sizeBytes, pieces }: LongBody): LongBody & { type: string } {
  const boundary = `----${randomUUID()}`;
  const head = Buffer.from(
    `--${boundary}\r\nContent-Disposition: form-data; name="overwrite"\r\n\r\ntrue\r\n` +
      `--${boundary}\r\nContent-Disposition: form-data; name="image"; filename="${name}"\r\n` +
      'Content-Type: application/octet-stream\r\n\r\n',
  );
  const tail = Buffer.from(`\r\n--${boundary}--\r\n`);
  return {
    type: `multipart/form-data; boundary=${boundary}`,
    sizeBytes: head.length + sizeBytes + tail.length,
    pieces: (async function* () {
      yield head;
      yield* pieces;
      yield tail;
    })(),
  };
}

/** The first node's first error, at most 500 characters; undefined: there is none. */
export function describeNodeErrors(nodeErrors: Record<string, NodeError>): string | undefined {
  for (const [id, { class_type: classType, errors }] of Object.entries(nodeErrors)) {
    const error = errors[0];
    if (error) return `node ${id} (${classType}): ${error.message}: ${error.details}`.slice(0, 500);
  }
  return undefined;
}

/** A file by the headers of `/view`. */
export interface ViewedFile {
  /** Of the whole file. Absent: unknown. */
  sizeBytes?: number;
  etag?: string;
  /** When it was last written, and the resolution; ms of the GPU host's clock. Absent: unknown. */
  written?: { at: number; within: number };
}

/** aiohttp's tags contain the time of the last write in nanoseconds (web_fileresponse.py, 3.11 to 3.13). */
const ETAG = /^"([0-9a-f]+)-[0-9a-f]+"$/;

function describeFile({ headers, status }: Answer): ViewedFile {
  // The length after a proxy's compression is not the file's.
  const length = headers['content-encoding'] === undefined ? headers['content-length'] : undefined;
  const { etag } = headers;
  const nanoseconds = ETAG.exec(etag ?? '')?.[1];
  const modified = Date.parse(headers['last-modified'] ?? '');
  const written =
    nanoseconds === undefined
      ? Number.isNaN(modified)
        ? undefined
        : { at: modified, within: 1000 }
      : { at: Number(BigInt(`0x${nanoseconds}`) / 1_000_000n), within: 1 };
  return {
    ...(length !== undefined && status === 200 && { sizeBytes: Number(length) }),
    ...(etag !== undefined && { etag }),
    ...(written && { written }),
  };
}

function viewQuery({ filename, subfolder, type }: OutputFile): string {
  return new URLSearchParams({ filename, subfolder, type }).toString();
}

/** Fails after IDLE_AFTER without data, counted only while the reader waits: a slow reader is not a silent sender. */
async function* watched(body: IncomingMessage): AsyncGenerator<Uint8Array, void> {
  const pieces = (body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
  try {
    for (;;) {
      const late = setTimeout(() => {
        body.destroy(new DOMException('nothing came for too long', 'TimeoutError'));
      }, IDLE_AFTER);
      const next = await pieces.next().finally(() => clearTimeout(late));
      if (next.done) return;
      yield next.value;
    }
  } catch (error) {
    throw new ComfyUISilent('GET /view to its end', { cause: error });
  } finally {
    body.destroy();
  }
}
