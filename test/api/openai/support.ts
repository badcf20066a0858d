// What tests of the façade share: OpenAI's own client from its package, and a rig of which it asks.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import OpenAI, { APIError, type ClientOptions } from 'openai';
import { expect } from 'vitest';
import { packageRoot } from '../../../functions/runtime/workflows.ts';
import type { Rig } from '../../support/rig.ts';

/** The line that the README says to change, but for the port. */
export function baseUrlAt(url: string): string {
  const readme = readFileSync(join(packageRoot(), 'README.md'), 'utf8');
  const line = /`baseURL: '(http:[^']+)'`/.exec(readme)![1]!;
  return url + new URL(line).pathname;
}

/** Unchanged but for the base URL and the key. */
export function clientOf({ url }: Pick<Rig, 'url'>, more: ClientOptions = {}): OpenAI {
  return new OpenAI({ baseURL: baseUrlAt(url), apiKey: 'any', ...more });
}

/** Of a size and in steps that a test has time for. */
export const SMALL = { prompt: 'a red fox', size: '256x256' as const, steps: 4 };

/** Of a PNG in base64. */
export function sizeOfPng(base64: string | undefined): string {
  const bytes = Buffer.from(base64 ?? '', 'base64');
  if (bytes.toString('latin1', 1, 4) !== 'PNG') throw new Error('no PNG');
  return `${bytes.readUInt32BE(16)}x${bytes.readUInt32BE(20)}`;
}

/** The error that a call is refused with. */
export async function refusalOf(call: PromiseLike<unknown>): Promise<APIError> {
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(APIError);
  return error as APIError;
}
