// Client of the REST API for the terminal programs: one function per route, each with a time limit. An answer becomes a value
// or one of two errors; the caller decides whether to retry.

import type { statusView } from '../api/routes/views.ts';
import type { describeTemplate } from '../core/describe.ts';
import { readFile } from 'node:fs/promises';
import type * as z from 'zod';
import type { workflowProposal, workflows } from '../api/answers/workflows.ts';
import type { FileType } from '../core/file-types.ts';
import { parseJson, stringifyJson } from '../core/json.ts';
import { MAX_UPLOAD_BYTES } from '../core/limits.ts';
import { CommandError } from './command-error.ts';
import { type LocalFile, putFile, sha256Of } from './put-file.ts';

/** `GET /api/workflows/<name>`: title, presets, and the inputs as JSON Schema. */
export type Workflow = ReturnType<typeof describeTemplate>;
/** `GET /api/status/<id>`. */
export type Status = Awaited<ReturnType<typeof statusView>>;

/** `GET /api/workflows?details=true`. */
export type WorkflowList = Required<z.infer<typeof workflows>>;
/** `POST /api/workflows/propose`. */
export type Proposal = z.infer<typeof workflowProposal>;

export { CommandError } from './command-error.ts';

/** The API did not answer, or a proxy answered that it is unavailable: a retry may help. */
export class NoAnswer extends CommandError {}

export interface Accepted {
  job_id: string;
  notes: string[];
}

interface Linked {
  name: string;
  upload: { url: string; headers: Record<string, string> } | null;
}

export type Api = ReturnType<typeof createApi>;

const LIMIT = 10_000;
const LONG_LIMIT = 60_000;

/** @param url without a trailing slash; @param key undefined: none is sent; @param advice ends the error of a silent API */
export function createApi(url: string, key: string | undefined, advice = '') {
  const silent = (why: string) => new NoAnswer(`The API at ${url} does not answer (${why})${advice}`);

  async function call(path: string, init: RequestInit = {}, limit = LIMIT): Promise<Response> {
    let response: Response;
    try {
      const headers = new Headers(init.headers);
      if (key !== undefined) headers.set('x-api-key', key);
      response = await fetch(url + path, { ...init, headers, signal: AbortSignal.timeout(limit) });
    } catch (error) {
      throw silent(reasonOf(error));
    }
    if (response.ok) return response;
    const body = (await response.json().catch(() => undefined)) as { error?: unknown } | undefined;
    const sentence = typeof body?.error === 'string' ? body.error : undefined;
    if (response.status === 401) throw new CommandError(`${sentence}; this program takes it from API_KEY`);
    if ([502, 503, 504].includes(response.status)) throw silent(sentence ?? String(response.status));
    throw new CommandError(sentence ?? `${url}${path} answered ${response.status}; is it this API?`);
  }

  async function json<Answer>(path: string, init?: RequestInit, limit?: number): Promise<Answer> {
    const response = await call(path, init, limit);
    try {
      return parseJson(await response.text()) as Answer;
    } catch {
      throw silent('what came was no JSON, or was cut off');
    }
  }

  async function uploadByLink(file: LocalFile): Promise<string> {
    const { name, upload } = await json<Linked>('/api/upload/link', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        filename: file.name,
        size_bytes: file.sizeBytes,
        sha256: await sha256Of(file.path),
      }),
    });
    // A repetition finds what was put before.
    if (upload)
      await putFile(upload, file).catch((error: unknown) => {
        throw error instanceof CommandError ? error : silent(reasonOf(error));
      });
    return name;
  }

  return {
    url,

    /** Workflow names, the default first. */
    async workflows(): Promise<string[]> {
      const { workflows } = await json<{ workflows?: string[] }>('/api/workflows');
      if (!workflows?.length) throw new CommandError(`${url} is not this API: it lists no workflows`);
      return workflows;
    },

    workflow: (name: string) => json<Workflow>(`/api/workflows/${encodeURIComponent(name)}`),

    /** With what each takes and needs, and which hosts can run it. */
    workflowList: () => json<WorkflowList>('/api/workflows?details=true', {}, LONG_LIMIT),

    /** What a workflow file would become. */
    propose: (file: Uint8Array<ArrayBuffer>) =>
      json<Proposal>('/api/workflows/propose', { method: 'POST', body: file }, LONG_LIMIT),

    /** @param replace one of the same name */
    saveWorkflow: (name: string, graph: object, inputsFile: object, replace: boolean) =>
      json<{ replaced: boolean; kept_translations: string[] }>(
        `/api/workflows/${encodeURIComponent(name)}`,
        {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: stringifyJson({ graph, inputs_file: inputsFile, replace }),
        },
        LONG_LIMIT,
      ),

    removeWorkflow: (name: string) =>
      json<unknown>(`/api/workflows/${encodeURIComponent(name)}`, { method: 'DELETE' }),

    /** A repeated idempotency key returns the same job. */
    generate: (body: Record<string, string>, idempotencyKey: string) =>
      json<Accepted>(
        '/api/generate',
        {
          method: 'POST',
          headers: { 'content-type': 'application/json', 'idempotency-key': idempotencyKey },
          body: JSON.stringify(body),
        },
        LONG_LIMIT,
      ),

    /** A large one, or what is no image, by a link. @returns the name that an input accepts */
    async upload(file: LocalFile, type: FileType): Promise<string> {
      if (type !== 'image' || file.sizeBytes > MAX_UPLOAD_BYTES) return uploadByLink(file);
      const form = new FormData();
      form.set('image', new File([new Uint8Array(await readFile(file.path))], file.name));
      return (await json<{ name: string }>('/api/upload/image', { method: 'POST', body: form }, LONG_LIMIT))
        .name;
    },

    status: (jobId: string) => json<Status>(`/api/status/${jobId}`),

    cancel: (jobId: string) => json<unknown>(`/api/queue/${jobId}`, { method: 'DELETE' }),

    async image(filename: string): Promise<Uint8Array> {
      const response = await call(`/api/image/${encodeURIComponent(filename)}`, {}, LONG_LIMIT);
      try {
        return new Uint8Array(await response.arrayBuffer());
      } catch (error) {
        throw silent(reasonOf(error));
      }
    },
  };
}

/** Why a request got no answer, as part of a sentence. */
export function reasonOf(error: unknown): string {
  const { name, message, cause } = error as Error & { cause?: { code?: string } };
  return name === 'TimeoutError' ? 'it took too long' : (cause?.code ?? message);
}
