// The callers: a bare one that posts to ComfyUI, listens and downloads, and one of the product's API. Both as light
// as Node allows: they share the machine with what they measure.

import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import type { Graph } from '../../functions/core/object-info.ts';

const agent = new Agent({ keepAlive: true, maxSockets: 128 });

/** Longer than anything here takes: what is stuck is told, and not measured. */
const STUCK = 30_000;

export interface Answer {
  status: number;
  body: Buffer;
}

export async function call(url: string, method = 'GET', body?: unknown): Promise<Answer> {
  const json = body === undefined ? undefined : JSON.stringify(body);
  const headers = json === undefined ? {} : { 'content-type': 'application/json' };
  const sent = request(url, { agent, method, headers });
  sent.setTimeout(STUCK, () => sent.destroy(new Error(`${method} ${url} is not answered`)));
  try {
    return await new Promise<Answer>((resolve, reject) => {
      sent.once('error', reject);
      sent.once('response', (response) => {
        const pieces: Buffer[] = [];
        response.on('data', (piece: Buffer) => pieces.push(piece));
        response.once('error', reject);
        response.once('end', () =>
          resolve({ status: response.statusCode ?? 0, body: Buffer.concat(pieces) }),
        );
      });
      sent.end(json);
    });
  } catch (error) {
    // The server let an idle connection go at the moment of its use.
    const reset = (error as NodeJS.ErrnoException).code === 'ECONNRESET';
    if (reset && sent.reusedSocket) return call(url, method, body);
    throw error;
  }
}

/** @throws for anything but a 2xx */
export async function callJson<T>(url: string, method = 'GET', body?: unknown): Promise<T> {
  const answer = await call(url, method, body);
  if (answer.status >= 300) throw new Error(`${method} ${url}: ${answer.status} ${answer.body.toString()}`);
  return JSON.parse(answer.body.toString()) as T;
}

export interface BareClient {
  /** From submit to image bytes in hand. */
  image(graph: Graph): Promise<Buffer>;
  close(): void;
}

export async function connectBare(url: string): Promise<BareClient> {
  const clientId = randomUUID();
  const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/ws?clientId=${clientId}`);
  const waiting = new Map<string, () => void>();
  socket.on('message', (data: Buffer, isBinary: boolean) => {
    if (isBinary) return;
    const { type, data: told } = JSON.parse(data.toString()) as {
      type: string;
      data: { node?: string | null; prompt_id?: string };
    };
    if (type === 'executing' && told.node === null) waiting.get(told.prompt_id ?? '')?.();
  });
  await once(socket, 'open');
  return {
    async image(graph) {
      const promptId = randomUUID();
      const ended = new Promise<void>((resolve) => {
        waiting.set(promptId, resolve);
      });
      await callJson(`${url}/prompt`, 'POST', { prompt: graph, prompt_id: promptId, client_id: clientId });
      await ended;
      waiting.delete(promptId);
      const history = await callJson<HistoryAnswer>(`${url}/history/${promptId}`);
      const [file] = Object.values(history[promptId]!.outputs).flatMap(({ images }) => images ?? []);
      return (await call(`${url}/view?${new URLSearchParams({ ...file }).toString()}`)).body;
    },
    close: () => socket.close(),
  };
}

type HistoryAnswer = Record<string, { outputs: Record<string, { images?: Record<string, string>[] }> }>;

interface StatusAnswer {
  status: string;
  error: string | null;
  images: { url: string }[];
}

/** POST /api/generate; the job's id. */
export async function submit(api: string, body: Record<string, unknown>): Promise<string> {
  return (await callJson<{ job_id: string }>(`${api}/api/generate`, 'POST', body)).job_id;
}

/** Asks for the status every `every` ms, the first time at once, until the job has ended; its first image. */
export async function collect(api: string, jobId: string, every: number): Promise<Buffer> {
  for (;;) {
    const askedAt = performance.now();
    const status = await callJson<StatusAnswer>(`${api}/api/status/${jobId}`);
    if (status.status === 'completed') return (await call(status.images[0]!.url)).body;
    if (status.status !== 'queued' && status.status !== 'processing')
      throw new Error(`job ${jobId} is ${status.status}: ${status.error}`);
    await sleep(Math.max(0, askedAt + every - performance.now()));
  }
}

/** Is it a PNG with the graph of the job of this color in it? */
export function isImageOf(image: Buffer, color: number): boolean {
  const text = image.toString('latin1');
  return text.startsWith('\x89PNG') && new RegExp(`"color": ?${color}\\b`).test(text);
}

let lastColor = Math.floor(Math.random() * 8_000_000);

/** One that no job had: nothing that ComfyUI remembers fits. */
export function freshColor(): number {
  lastColor += 1;
  return lastColor;
}
