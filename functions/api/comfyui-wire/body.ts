// Bodies of ComfyUI's wire: JSON of whatever type it says that it is, as ComfyUI takes it.

import type { Context } from 'hono';
import { parseJson } from '../../core/json.ts';
import type { ApiEnv } from '../deps.ts';
import { refusedFor } from './errors.ts';

/** @throws PromptRefused invalid_json */
export async function bodyOf(c: Context<ApiEnv>): Promise<Record<string, unknown>> {
  let body: unknown;
  try {
    body = parseJson(await c.req.text());
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw refusedFor('invalid_json', 'The body is not JSON');
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw refusedFor('invalid_json', 'The body must be a JSON object');
  return body as Record<string, unknown>;
}

/** Its lists of ids, and whether it clears. @throws PromptRefused */
export async function editOf(c: Context<ApiEnv>): Promise<{ clear: boolean; ids: string[] }> {
  const { clear, delete: ids = [] } = await bodyOf(c);
  if (!isTexts(ids)) throw refusedFor('invalid_request', '"delete" must be a list of prompt ids');
  return { clear: Boolean(clear), ids: [...new Set(ids)] };
}

export function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
}
