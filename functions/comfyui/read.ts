// Reads one answer of ComfyUI, within a bound, and says which of three it was: what was asked for, a no, or nothing that
// anybody knows. Decides nothing; holds no connection.

import type * as z from 'zod';
import { parsePythonJson } from '../core/json.ts';
import { ComfyUIBroken, ComfyUIRefused, ComfyUISilent } from './errors.ts';

const MIB = 2 ** 20;
/** Of a refusal, for its reason. */
const REASON_BYTES = 64 * 1024;
const REASON_LENGTH = 500;

/** 4xx that say something of the moment or of who asks, and nothing of what was asked. */
const ASK_AGAIN = [408, 425, 429];

/**
 * @param bound MiB that the answer may have
 * @throws ComfyUISilent, ComfyUIRefused, or ComfyUIBroken where it is not what `schema` needs, or larger than `bound`
 */
export async function readAnswer<Schema extends z.ZodType>(
  what: string,
  response: Response,
  schema: Schema,
  bound: number,
): Promise<z.output<Schema>> {
  await refuseUnlessOk(what, response);
  const parsed = schema.safeParse(await readJson(what, response, bound));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue?.path.join('.').slice(0, 100);
  throw new ComfyUIBroken(what, `its answer is not as ComfyUI's${where ? ` at ${where}` : ''}`);
}

/** @throws one of the three for every status that is no success; then the body is used up */
export async function refuseUnlessOk(what: string, response: Response): Promise<void> {
  const { status } = response;
  if (response.ok) return;
  if (status >= 400 && status < 500 && !ASK_AGAIN.includes(status))
    throw new ComfyUIRefused(what, status, reasonIn(await readRefusal(response)));
  await response.body?.cancel();
  if (status === 500) throw new ComfyUIBroken(what, 'it answered 500');
  throw new ComfyUISilent(`${what} but with ${status}`, undefined, true);
}

/** What is no JSON and does not say that it is some was not written by ComfyUI. @param bound MiB */
async function readJson(what: string, response: Response, bound: number): Promise<unknown> {
  const text = await readText(what, response, bound * MIB);
  if (text === undefined) throw new ComfyUIBroken(what, `its answer is larger than ${bound} MiB`);
  try {
    return parsePythonJson(text);
  } catch (error) {
    if (!response.headers.get('content-type')?.includes('json'))
      throw new ComfyUISilent(`${what} as ComfyUI does`, { cause: error }, true);
    throw new ComfyUIBroken(what, 'its answer is no JSON', { cause: error });
  }
}

/** Undefined: it is longer than `bound` bytes, and not read on. @throws ComfyUISilent when it breaks off */
async function readText(what: string, response: Response, bound: number): Promise<string | undefined> {
  if (Number(response.headers.get('content-length') ?? 0) > bound) {
    await response.body?.cancel();
    return undefined;
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of response.body ?? []) {
      size += chunk.length;
      // Leaving the loop cancels the body.
      if (size > bound) return undefined;
      chunks.push(chunk);
    }
  } catch (error) {
    throw new ComfyUISilent(what, { cause: error });
  }
  return Buffer.concat(chunks, size).toString('utf8');
}

/** What a refusal says, as JSON or, of a page, as what a browser would show; '' where it breaks off. */
export async function readRefusal(response: Response): Promise<unknown> {
  let text: string;
  try {
    text = (await readText('a refusal', response, REASON_BYTES)) ?? '';
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

/** Its own words. ComfyUI writes `{"error": {message, details}}` and `{"error": "…"}`, aiohttp a line of text. */
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
