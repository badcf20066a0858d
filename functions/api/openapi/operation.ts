// How an operation of the API is written down here: short, and made into OpenAPI by document.ts.

import type { Scope } from '../../core/access.ts';
import type { ErrorCode } from '../../core/errors.ts';
import type { JsonSchema } from './generate-body.ts';

export interface Operation {
  /** As of a route: `GET /status/:id`, behind `/api` unless `at` says more. */
  route: string;
  id: string;
  tag: 'Jobs' | 'Images' | 'History' | 'Webhooks' | 'Service' | 'Description';
  summary: string;
  description?: string;
  /** Absent: anybody may, without a key. */
  scope?: Scope;
  parameters?: Parameter[];
  body?: Body;
  answers: Record<number, Answer>;
  /** Beside those that every route may answer. */
  errors?: readonly ErrorCode[];
  /** What we send in turn: where to, by an address that the request names. */
  callbacks?: JsonSchema;
  /** Served without /api too. */
  alsoAtRoot?: true;
}

export interface Parameter {
  name: string;
  in: 'path' | 'query' | 'header';
  description: string;
  schema: JsonSchema;
  example?: string | number;
}

export interface Body {
  type: string;
  schema: JsonSchema;
  examples?: Record<string, unknown>;
}

export interface Answer {
  description: string;
  /** Its type and schema; absent: no body. */
  content?: Record<string, JsonSchema>;
  headers?: Record<string, string>;
  /** Operations that go on from here, and where each of their parameters is found. */
  links?: Record<string, Record<string, string>>;
}

export const ref = (schema: string): JsonSchema => ({ $ref: `#/components/schemas/${schema}` });

/** An answer in JSON. @param schema its name in schemas.ts */
export function json(description: string, schema: string, headers?: Record<string, string>): Answer {
  return { description, content: { 'application/json': ref(schema) }, ...(headers && { headers }) };
}

/** Of draft-ietf-httpapi-ratelimit-headers. */
export const LIMIT_HEADERS = {
  RateLimit: 'Where one stands',
  'RateLimit-Policy': 'What one’s limits are',
};

export const jobId: Parameter = {
  name: 'id',
  in: 'path',
  description: 'A job_id',
  schema: { type: 'string', format: 'uuid' },
  example: '550e8400-e29b-81d4-a716-446655440000',
};

export const limit: Parameter = {
  name: 'limit',
  in: 'query',
  description: 'How many at most',
  schema: { type: 'integer', minimum: 1, maximum: 1000, default: 100 },
};

export const cursor: Parameter = {
  name: 'cursor',
  in: 'query',
  description: 'The next_cursor of the page before',
  schema: { type: 'string', minLength: 1 },
};

export const owner: Parameter = {
  name: 'owner',
  in: 'query',
  description: 'Whose, for a key with the scope admin; else one’s own',
  schema: { type: 'string' },
};
