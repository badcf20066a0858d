// ComfyUI over HTTP. Says what ComfyUI answered; decides nothing. Every call has a time limit and every answer a bound,
// and what is not what was asked for is one of three errors (errors.ts). Source: docs/comfyui.md, "On the wire".

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
import { readAnswer, readRefusal, reasonIn, refuseUnlessOk } from './read.ts';

export type { HistoryEntry, NodeError, QueueItem, SystemStats } from './answers.ts';
export { ComfyUIError, ComfyUIBroken, ComfyUIRefused, ComfyUISilent } from './errors.ts';

export interface OutputFile {
  filename: string;
  subfolder: string;
  type: string;
}

/** `promptId`: the one that ComfyUI gave it, which before 0.8 is not the one that was asked for. */
export type Submission =
  | { accepted: true; promptId: string; nodeErrors: Record<string, NodeError> }
  | { accepted: false; message: string; nodeErrors: Record<string, NodeError> };

/** The simulated ComfyUI says so in its version. */
export function isSimulated(stats: SystemStats): boolean {
  return stats.system.comfyui_version?.endsWith('simulated') ?? false;
}

/** Answers of so many MiB are read. The queue and the history hold graphs of people who paste images into them. */
const BOUNDS = { queue: 96, objectInfo: 64, other: 16 };

/** A no to POST /prompt that is about whoever asks, or about what stands there instead of ComfyUI, and not about the graph. */
const NOT_OF_THE_PROMPT = [401, 404, 405, 407];

export type ComfyUI = ReturnType<typeof createComfyUI>;

/** @param address a URL without a trailing slash, or one with the headers that its proxy wants; @param timeout ms per call */
export function createComfyUI(address: string | ComfyUIAddress, timeout = TIMINGS.comfyuiAnswersWithin) {
  const { url, headers } = typeof address === 'string' ? { url: address, headers: {} } : address;

  async function call(
    what: string,
    path: string,
    init: RequestInit = {},
    limit = timeout,
  ): Promise<Response> {
    try {
      return await fetch(url + path, {
        ...init,
        headers: { ...(init.headers as Record<string, string> | undefined), ...headers },
        signal: init.signal ?? AbortSignal.timeout(limit),
      });
    } catch (error) {
      throw new ComfyUISilent(what, { cause: error });
    }
  }

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
    await response.body?.cancel();
  }

  const deleteQueued = (promptIds: string[]) => post('/queue', { delete: promptIds });
  const interrupt = (promptId: string) => post('/interrupt', { prompt_id: promptId });

  /** False: there is no such route (before 0.33), or nobody lets us ask it. */
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
     * Once: ComfyUI does not tell the same id posted twice from two jobs.
     * @throws ComfyUISilent when nobody knows whether it was taken: also for every 5xx, and for a page
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
        // The first node's first error is what a person would mend first.
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

    /** Undefined for a prompt that waits, runs or is unknown. @throws ComfyUIBroken also for an entry that cannot be read */
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
     * Takes prompts of these ids out of the queue, or interrupts them while they run: never another. 0.33 does it under
     * the lock of its queue; before, another may begin between ComfyUI's look and its interrupt. Whether they are gone, the
     * queue tells: one that has just begun forgets an interrupt, and of one that was posted twice one is left.
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
     * The file as a stream, from byte `from`; undefined when it is gone. The caller reads or cancels it. A stream that
     * says nothing for a minute breaks.
     * @param ifRange the `etag` of the file that is meant; another one comes whole
     */
    async view(file: OutputFile, { from = 0, ifRange }: { from?: number; ifRange?: string } = {}) {
      const what = 'GET /view';
      const idle = idleSignal(IDLE_AFTER);
      const wanted = {
        ...(from > 0 && { range: `bytes=${from}-` }),
        ...(ifRange !== undefined && { 'if-range': ifRange }),
      };
      const asked = call(what, `/view?${viewQuery(file)}`, { headers: wanted, signal: idle.signal });
      const response = await asked.catch((error: unknown) => {
        idle.end();
        throw error;
      });
      if (!response.ok || !response.body) idle.end();
      if (response.status === 404) {
        await response.body?.cancel();
        return undefined;
      }
      await refuseUnlessOk(what, response);
      if (!response.body) throw new ComfyUISilent(`${what} with a body`);
      return { ...describeFile(response), body: idle.watch(response.body), partial: response.status === 206 };
    },

    /** What `view` would say of the file now, without its bytes. */
    async viewHead(file: OutputFile): Promise<ViewedFile | undefined> {
      const response = await call('HEAD /view', `/view?${viewQuery(file)}`, { method: 'HEAD' });
      if (response.status === 404) return undefined;
      await refuseUnlessOk('HEAD /view', response);
      return describeFile(response);
    },

    /** @throws ComfyUIRefused where it takes no such file, ComfyUIBroken where it cannot store one */
    async uploadInput(name: string, bytes: Blob): Promise<void> {
      const what = 'POST /upload/image';
      const form = new FormData();
      form.append('image', bytes, name);
      form.append('overwrite', 'true');
      const response = await call(what, '/upload/image', { method: 'POST', body: form });
      const answer = await readAnswer(what, response, uploadAnswer, BOUNDS.other);
      if (answer.name !== name) throw new ComfyUIBroken(what, 'it stored it under another name');
    },

    /** @throws ComfyUISilent or ComfyUIBroken also where something else answers on its port */
    systemStats: (limit?: number) => read('/system_stats', systemStatsAnswer, { limit }),
    models: () => read('/models', namesAnswer),
    modelsIn: (folder: string) =>
      read(`/models/${encodeURIComponent(folder)}`, namesAnswer, { what: 'GET /models' }),
    /** @param limit ms: it looks through folders and imports, and may take its time */
    objectInfo: (limit = timeout * 3) =>
      read('/object_info', objectInfoAnswer, { bound: BOUNDS.objectInfo, limit }),
  };
}

function jsonBody(body: unknown): RequestInit {
  return { method: 'POST', headers: { 'content-type': 'application/json' }, body: stringifyJson(body) };
}

/** One sentence: the first node's first error. */
export function describeNodeErrors(nodeErrors: Record<string, NodeError>): string | undefined {
  for (const [id, { class_type: classType, errors }] of Object.entries(nodeErrors)) {
    const error = errors[0];
    if (error) return `node ${id} (${classType}): ${error.message}: ${error.details}`.slice(0, 500);
  }
  return undefined;
}

/** What the headers of `/view` say of a file. */
export interface ViewedFile {
  /** Of the whole file. Absent: not said. */
  sizeBytes?: number;
  etag?: string;
  /** When it was last written, ms of the GPU host's clock, and how coarse that is. Absent: not said. */
  written?: { at: number; within: number };
}

/** aiohttp writes the time of the last write into the tag, in nanoseconds (web_fileresponse.py, 3.11 to 3.13). */
const ETAG = /^"([0-9a-f]+)-[0-9a-f]+"$/;

function describeFile({ headers, status }: Response): ViewedFile {
  // What a proxy has compressed has another length here.
  const length = headers.has('content-encoding') ? null : headers.get('content-length');
  const etag = headers.get('etag') ?? undefined;
  const nanoseconds = ETAG.exec(etag ?? '')?.[1];
  const modified = Date.parse(headers.get('last-modified') ?? '');
  const written =
    nanoseconds === undefined
      ? Number.isNaN(modified)
        ? undefined
        : { at: modified, within: 1000 }
      : { at: Number(BigInt(`0x${nanoseconds}`) / 1_000_000n), within: 1 };
  return {
    ...(length !== null && status === 200 && { sizeBytes: Number(length) }),
    ...(etag !== undefined && { etag }),
    ...(written && { written }),
  };
}

function viewQuery({ filename, subfolder, type }: OutputFile): string {
  return new URLSearchParams({ filename, subfolder, type }).toString();
}

/** Aborts what nothing was heard of for `after` ms, while somebody waits for it: a slow reader is not a silent sender. */
function idleSignal(after: number) {
  const controller = new AbortController();
  const start = () =>
    setTimeout(
      () => controller.abort(new DOMException('nothing came for too long', 'TimeoutError')),
      after,
    ).unref();
  let timer = start();
  return {
    signal: controller.signal,
    end: () => clearTimeout(timer),
    watch(body: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
      clearTimeout(timer);
      const reader = body.getReader();
      return new ReadableStream<Uint8Array>(
        {
          async pull(sink) {
            timer = start();
            try {
              const { done, value } = await reader.read();
              if (done) sink.close();
              else sink.enqueue(value);
            } catch (error) {
              throw new ComfyUISilent('GET /view to its end', { cause: error });
            } finally {
              clearTimeout(timer);
            }
          },
          cancel: (reason) => reader.cancel(reason),
        },
        { highWaterMark: 0 },
      );
    },
  };
}
