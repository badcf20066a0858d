// Reads one answer of ComfyUI within a size limit, and turns every failure into one of the three errors. It keeps no
// connection.

import type * as z from 'zod';
import { parsePythonJson } from '../core/json.ts';
import type { Answer } from './http.ts';
import { ComfyUIBroken, ComfyUIRefused, ComfyUISilent } from './errors.ts';

const MIB = 2 ** 20;
/** Bytes of a refusal that are read for its reason. */
const REASON_BYTES = 64 * 1024;
const REASON_LENGTH = 500;

/** 4xx that are temporary: the request itself is not refused. */
const ASK_AGAIN = [408, 425, 429];

/**
 * @param bound size limit, MiB
 * @throws ComfyUISilent, ComfyUIRefused, or ComfyUIBroken where the answer does not fit `schema`, or is larger than `bound`
 */
export async function readAnswer<Schema extends z.ZodType>(
  what: string,
  answer: Answer,
  schema: Schema,
  bound: number,
): Promise<z.output<Schema>> {
  await refuseUnlessOk(what, answer);
  const parsed = schema.safeParse(await readJson(what, answer, bound));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue?.path.join('.').slice(0, 100);
  throw new ComfyUIBroken(what, `its answer is not as ComfyUI's${where ? ` at ${where}` : ''}`);
}

/** Consumes the body of a failure. @throws one of the three errors for every status but 2xx */
export async function refuseUnlessOk(what: string, answer: Answer): Promise<void> {
  const { status, ok, headers, body } = answer;
  if (ok) return;
  if (status >= 400 && status < 500 && !ASK_AGAIN.includes(status))
    throw new ComfyUIRefused(what, status, reasonIn(await readRefusal(answer)));
  body.destroy();
  if (status === 500) throw new ComfyUIBroken(what, 'it answered 500');
  const elsewhere = status < 400 && headers.location !== undefined ? ', which sends elsewhere' : '';
  throw new ComfyUISilent(`${what} but with ${status}${elsewhere}`, undefined, true);
}

/** Resolves when the connection can be used again; the time limit of the call holds. */
export function discard({ body }: Answer): Promise<void> {
  return new Promise((resolve) => {
    body.once('close', resolve).resume();
  });
}

/** An answer that is not JSON and does not declare to be is not ComfyUI's. @param bound MiB */
async function readJson(what: string, answer: Answer, bound: number): Promise<unknown> {
  const text = await readText(what, answer, bound * MIB);
  if (text === undefined) throw new ComfyUIBroken(what, `its answer is larger than ${bound} MiB`);
  try {
    return parsePythonJson(text);
  } catch (error) {
    if (!answer.headers['content-type']?.includes('json'))
      throw new ComfyUISilent(`${what} as ComfyUI does`, { cause: error }, true);
    throw new ComfyUIBroken(what, 'its answer is no JSON', { cause: error });
  }
}

/** Undefined: it is longer than `bound` bytes; the rest is not read. @throws ComfyUISilent when it breaks off */
async function readText(what: string, { headers, body }: Answer, bound: number): Promise<string | undefined> {
  if (Number(headers['content-length'] ?? 0) > bound) {
    body.destroy();
    return undefined;
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of body as AsyncIterable<Uint8Array>) {
      size += chunk.length;
      // Leaving the loop destroys the body.
      if (size > bound) return undefined;
      chunks.push(chunk);
    }
  } catch (error) {
    throw new ComfyUISilent(what, { cause: error });
  }
  return Buffer.concat(chunks, size).toString('utf8');
}

/** A refusal's JSON, or the visible text of a page; '' where it breaks off. */
export async function readRefusal(answer: Answer): Promise<unknown> {
  let text: string;
  try {
    text = (await readText('a refusal', answer, REASON_BYTES)) ?? '';
  } catch (error) {
    if (error instanceof ComfyUISilent) return '';
    throw error;
  }
  try {
    return parsePythonJson(text);
  } catch {
    const shown = text.replaceAll(/<(script|style)[^]*?<\/\1>/gi, ' ').replaceAll(/<[^>]*>/g, ' ');
    return shown.replaceAll(/\s+/g, ' ').trim();
  }
}

/** A refusal's reason. ComfyUI writes `{"error": {message, details}}` or `{"error": "…"}`, aiohttp a line of text. */
export function reasonIn(refusal: unknown): string {
  if (typeof refusal === 'string') return refusal.slice(0, REASON_LENGTH);
  const { error } = (refusal ?? {}) as { error?: unknown };
  if (typeof error === 'string') return error.slice(0, REASON_LENGTH);
  const { message, details } = (error ?? {}) as { message?: unknown; details?: unknown };
  return [message, details]
    .filter((part) => typeof part === 'string' && part !== '')
    .join(': ')
    .slice(0, REASON_LENGTH);
}
