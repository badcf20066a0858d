// Labels that a caller puts on a job: text by short names, stored with its request and never changed. The limits are those
// of the Comfy API v2. Pure.

import { invalid } from './inputs.ts';
import { MAX_LABELS, MAX_LABEL_BYTES } from './limits.ts';

/** In the order of their names, so that equal ones are written alike. */
export type Labels = Record<string, string>;

export const LABEL_NAME = /^[A-Za-z0-9_.-]{1,40}$/;

/** Names by which objects are attacked where code is careless; an object literal takes none of them as its own. */
const RESERVED = ['__proto__', 'constructor', 'prototype'];

/** @returns undefined where none were given @throws AppError invalid_field, which names the pair */
export function parseLabels(given: unknown, field = 'metadata'): Labels | undefined {
  if (given === undefined || given === null) return undefined;
  if (typeof given !== 'object' || Array.isArray(given))
    throw invalid(field, 'must be an object of texts by name, such as {"project": "spring"}');
  const pairs = Object.entries(given);
  if (pairs.length > MAX_LABELS)
    throw invalid(field, `may have at most ${MAX_LABELS} pairs; these are ${pairs.length}`);
  for (const [name, value] of pairs) {
    const problem = problemOfLabel(name, value);
    if (problem !== undefined) throw invalid(`${field}.${name.slice(0, 60)}`, problem);
  }
  if (pairs.length === 0) return undefined;
  return Object.fromEntries((pairs as [string, string][]).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** What is wrong with a pair, to complete "it …"; undefined: nothing. */
export function problemOfLabel(name: string, value: unknown): string | undefined {
  if (!LABEL_NAME.test(name) || RESERVED.includes(name))
    return 'must have a name of 1 to 40 letters, digits, dots, dashes or underscores';
  if (typeof value !== 'string') return 'must be a text';
  if (Buffer.byteLength(value) > MAX_LABEL_BYTES) return `may have at most ${MAX_LABEL_BYTES} bytes`;
  return undefined;
}

/** Has the job every one of these labels? */
export function hasLabels(labels: Labels | undefined, wanted: Labels): boolean {
  return Object.entries(wanted).every(([name, value]) => labels?.[name] === value);
}
