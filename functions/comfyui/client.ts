// ComfyUI over HTTP. Says what ComfyUI answered; decides nothing. Every call has a time limit, and a ComfyUI that
// does not answer is one error, ComfyUISilent, whatever the socket did. Source: design/comfyui-protocol.md.

import type { ComfyUIAddress } from '../core/comfyui-address.ts';
import type { Graph, ObjectInfo } from '../core/object-info.ts';
import { ComfyUISilent } from './errors.ts';

export { ComfyUIError, ComfyUIBroken, ComfyUIRefused, ComfyUISilent } from './errors.ts';

/** An entry of ComfyUI's queue. */
export interface QueueItem {
  promptId: string;
  extraData: Record<string, unknown>;
}

export interface OutputFile {
  filename: string;
  subfolder: string;
  type: string;
}

export interface HistoryEntry {
  /** Node → media key (`images`, `gifs`, …) → files, or whatever else the node shows. */
  outputs: Record<string, Record<string, unknown>>;
  status: { status_str: string; completed: boolean; messages: [string, Record<string, unknown>][] };
}

export interface NodeError {
  class_type: string;
  errors: { type: string; message: string; details: string }[];
}

export type Submission =
  | { accepted: true; nodeErrors: Record<string, NodeError> }
  | { accepted: false; message: string; nodeErrors: Record<string, NodeError> };

export interface SystemStats {
  system: { comfyui_version?: string };
  devices: { name: string; type: string; vram_total: number; vram_free: number }[];
}

/** The simulated ComfyUI says so in its version. */
export function isSimulated(stats: SystemStats): boolean {
  return stats.system.comfyui_version?.endsWith('simulated') ?? false;
}

export type ComfyUI = ReturnType<typeof createComfyUI>;

/** @param address a URL without a trailing slash, or one with the headers that its proxy wants; @param timeout ms per call */
export function createComfyUI(address: string | ComfyUIAddress, timeout = 10_000) {
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
        signal: AbortSignal.timeout(limit),
      });
    } catch (error) {
      throw new ComfyUISilent(what, { cause: error });
    }
  }

  async function json<T>(what: string, path: string, init?: RequestInit, limit?: number): Promise<T> {
    const response = await call(what, path, init, limit);
    try {
      if (response.ok) return (await response.json()) as T;
      await response.body?.cancel();
    } catch (error) {
      throw new ComfyUISilent(what, { cause: error });
    }
    throw new ComfyUISilent(`${what} but with ${response.status}`);
  }

  async function post(what: string, path: string, body: unknown): Promise<void> {
    const response = await call(what, path, jsonBody(body));
    await response.body?.cancel();
    if (!response.ok) throw new ComfyUISilent(`${what} but with ${response.status}`);
  }

  return {
    url,
    headers,

    /**
     * Once: ComfyUI does not tell the same id posted twice from two jobs.
     * @throws ComfyUISilent when nobody knows whether it was taken; a 5xx counts as that
     */
    async submit(prompt: {
      graph: Graph;
      promptId: string;
      clientId: string;
      extraData: Record<string, unknown>;
    }): Promise<Submission> {
      const response = await call(
        'POST /prompt',
        '/prompt',
        jsonBody({
          prompt: prompt.graph,
          prompt_id: prompt.promptId,
          client_id: prompt.clientId,
          extra_data: prompt.extraData,
        }),
      );
      if (response.status !== 200 && response.status !== 400) {
        await response.body?.cancel();
        throw new ComfyUISilent(`POST /prompt but with ${response.status}`);
      }
      let body: { error?: { message?: string; details?: string }; node_errors?: Record<string, NodeError> };
      try {
        body = (await response.json()) as typeof body;
      } catch (error) {
        throw new ComfyUISilent('POST /prompt', { cause: error });
      }
      const nodeErrors = body.node_errors ?? {};
      if (response.status === 200) return { accepted: true, nodeErrors };
      return { accepted: false, message: refusal(body.error, nodeErrors), nodeErrors };
    },

    async queue(): Promise<{ running: QueueItem[]; pending: QueueItem[] }> {
      const body = await json<Record<'queue_running' | 'queue_pending', RawItem[]>>('GET /queue', '/queue');
      return { running: body.queue_running.map(item), pending: body.queue_pending.map(item) };
    },

    /** Undefined for a prompt that waits, runs or is unknown. */
    async history(promptId: string): Promise<HistoryEntry | undefined> {
      const body = await json<Record<string, HistoryEntry>>('GET /history', `/history/${promptId}`);
      return body[promptId];
    },

    deleteQueued: (promptIds: string[]) => post('POST /queue', '/queue', { delete: promptIds }),
    interrupt: (promptId: string) => post('POST /interrupt', '/interrupt', { prompt_id: promptId }),
    deleteHistory: (promptIds: string[]) => post('POST /history', '/history', { delete: promptIds }),

    /** The file as a stream; undefined when it is gone. The caller reads or cancels it. */
    async view(
      file: OutputFile,
    ): Promise<{ body: ReadableStream<Uint8Array>; sizeBytes?: number } | undefined> {
      // A large image may take longer than any other answer, so the limit here is generous.
      const response = await call(
        'GET /view',
        `/view?${new URLSearchParams({ ...file }).toString()}`,
        {},
        timeout * 6,
      );
      if (!response.ok || !response.body) {
        await response.body?.cancel();
        if (response.status === 404) return undefined;
        throw new ComfyUISilent(`GET /view but with ${response.status}`);
      }
      const length = response.headers.get('content-length');
      return { body: response.body, ...(length === null ? {} : { sizeBytes: Number(length) }) };
    },

    async uploadInput(name: string, bytes: Blob): Promise<void> {
      const form = new FormData();
      form.append('image', bytes, name);
      form.append('overwrite', 'true');
      const answer = await json<{ name: string; subfolder: string }>('POST /upload/image', '/upload/image', {
        method: 'POST',
        body: form,
      });
      if (answer.name !== name) throw new ComfyUISilent(`POST /upload/image with the name it was given`);
    },

    /** @throws ComfyUISilent also where something else answers on its port */
    async systemStats(limit?: number): Promise<SystemStats> {
      const body = await json<unknown>('GET /system_stats', '/system_stats', {}, limit);
      if (!isSystemStats(body)) throw new ComfyUISilent('GET /system_stats as ComfyUI does');
      return body;
    },
    models: () => json<string[]>('GET /models', '/models'),
    modelsIn: (folder: string) => json<string[]>('GET /models', `/models/${encodeURIComponent(folder)}`),
    objectInfo: () => json<ObjectInfo>('GET /object_info', '/object_info', {}, timeout * 3),
  };
}

function isSystemStats(body: unknown): body is SystemStats {
  const { system, devices } = (body ?? {}) as Partial<Record<keyof SystemStats, unknown>>;
  return typeof system === 'object' && system !== null && Array.isArray(devices);
}

type RawItem = [number, string, Graph, Record<string, unknown>?, unknown?];

function item([, promptId, , extraData]: RawItem): QueueItem {
  return { promptId, extraData: extraData ?? {} };
}

function jsonBody(body: unknown): RequestInit {
  return { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}

/** One sentence of a refusal: the first node's first error, which is what a person would mend first. */
function refusal(
  error: { message?: string; details?: string } | undefined,
  nodeErrors: Record<string, NodeError>,
): string {
  const node = describeNodeErrors(nodeErrors);
  if (node) return node;
  return [error?.message ?? 'no reason given', error?.details].filter(Boolean).join(': ').slice(0, 500);
}

export function describeNodeErrors(nodeErrors: Record<string, NodeError>): string | undefined {
  for (const [id, { class_type: classType, errors }] of Object.entries(nodeErrors)) {
    const error = errors[0];
    if (error) return `node ${id} (${classType}): ${error.message}: ${error.details}`.slice(0, 500);
  }
  return undefined;
}
