// What a route says of its answers, for the document.

import type { ANSWERS } from '../answers/schemas.ts';

export type JsonSchema = Record<string, unknown>;
/** The name of a schema. Types only: the schemas are loaded when the document is asked for. */
export type AnswerName = keyof typeof ANSWERS;

export interface Answer {
  description: string;
  /** Of a JSON body. */
  schema?: AnswerName;
  /** Other bodies, by their types. */
  content?: Record<string, JsonSchema>;
  headers?: Record<string, string>;
  /** Operations that go on from here, and where each of their parameters is found. */
  links?: Record<string, Record<string, string>>;
}

export function json<Name extends AnswerName>(
  description: string,
  schema: Name,
  headers?: Record<string, string>,
) {
  return { description, schema, ...(headers && { headers }) };
}

export const ref = (schema: AnswerName | 'GenerateRequest'): JsonSchema => ({
  $ref: `#/components/schemas/${schema}`,
});

/** Of draft-ietf-httpapi-ratelimit-headers. */
export const LIMIT_HEADERS = {
  RateLimit: 'Where one stands',
  'RateLimit-Policy': 'What one’s limits are',
};
