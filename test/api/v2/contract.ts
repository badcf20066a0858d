// The contract of the Comfy API v2 as a judge of answers: which operations there are, what each documents, and whether an answer is
// one of those, by status, headers and body.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import * as z from 'zod';
import { packageRoot } from '../../../functions/runtime/workflows.ts';

type Schema = Record<string, unknown>;
interface DocumentedAnswer {
  $ref?: string;
  content?: Record<string, { schema: Schema }>;
  headers?: Record<string, unknown>;
}
interface Operation {
  operationId: string;
  responses: Record<string, DocumentedAnswer>;
}

const file = join(packageRoot(), 'test', 'contract', 'comfy-api-v2.openapi.yaml');
const contract = parse(readFileSync(file, 'utf8')) as {
  paths: Record<string, Record<string, Operation>>;
  components: { responses: Record<string, DocumentedAnswer>; schemas: Record<string, Schema> };
};

/** `getJob 404` and so on: each operation by each answer that it documents. */
export const DOCUMENTED = Object.values(contract.paths).flatMap((operations) =>
  Object.values(operations).flatMap(({ operationId, responses }) =>
    Object.keys(responses).map((status) => `${operationId} ${status}`),
  ),
);

const operations = new Map(
  Object.values(contract.paths)
    .flatMap((path) => Object.values(path))
    .map((operation) => [operation.operationId, operation]),
);

function answerOf(operationId: string, status: number): DocumentedAnswer | undefined {
  const answer = operations.get(operationId)?.responses[status];
  return answer?.$ref === undefined ? answer : contract.components.responses[answer.$ref.split('/').at(-1)!];
}

/** OpenAPI 3.0 as JSON Schema: references within, `nullable` as a type. */
function plain(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(plain);
  if (typeof schema !== 'object' || schema === null) return schema;
  const { $ref, nullable, example: _, ...rest } = schema as Schema;
  if (typeof $ref === 'string') return plain(contract.components.schemas[$ref.split('/').at(-1)!]);
  const inner = Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, plain(value)]));
  // References to the host are no whole URLs; int64 and double say nothing about JSON.
  if (['uri-reference', 'int64', 'double', 'binary'].includes(String(inner['format'])))
    delete inner['format'];
  return nullable === true ? { anyOf: [inner, { type: 'null' }] } : inner;
}

/** @returns what is wrong with the answer; empty: it is as documented */
export function faultsOf(
  operationId: string,
  { status, headers, body }: { status: number; headers: Headers; body: string },
): string[] {
  const documented = answerOf(operationId, status);
  if (!documented) return [`${operationId} documents no ${status}: ${body.slice(0, 200)}`];
  const faults: string[] = [];
  for (const name of Object.keys(documented.headers ?? {}))
    // A hash that is wrong will not be right later.
    if (!headers.has(name) && !(name === 'Retry-After' && status === 409))
      faults.push(`has no header ${name}`);
  const [type, content] = Object.entries(documented.content ?? {})[0] ?? [];
  // Of HEAD there is none.
  if (type !== 'application/json' || !content || body === '') return faults;
  if (!headers.get('content-type')?.startsWith(type)) faults.push(`is ${headers.get('content-type')}`);
  const judged = schemaOf(content.schema).safeParse(JSON.parse(body));
  if (!judged.success) faults.push(z.prettifyError(judged.error));
  return faults;
}

function schemaOf(schema: Schema): z.ZodType {
  return z.fromJSONSchema(plain(schema) as Parameters<typeof z.fromJSONSchema>[0]);
}

const event = contract.paths['/api/v2/jobs/{id}/events']!['get'] as Operation & {
  'x-sse-events': Record<string, { schema: string }>;
};

/** @returns what is wrong with an event of a job's stream */
export function faultsOfEvent(name: string, data: unknown): string[] {
  const documented = event['x-sse-events'][name];
  if (!documented) return [`the event ${name} is not documented`];
  const judged = schemaOf({ $ref: documented.schema }).safeParse(data);
  return judged.success ? [] : [z.prettifyError(judged.error)];
}
