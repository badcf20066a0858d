// The OpenAPI 3.1 document: the operations of this folder, the schemas that validate, and the statuses that problems.ts
// gives each error. Pure.

import { type ErrorCode } from '../../core/errors.ts';
import type { Template } from '../../core/template.ts';
import { statusOf } from '../http/problems.ts';
import { schemasOf } from './components.ts';
import { generateExamples, type JsonSchema } from './generate-body.ts';
import { imageOperations } from './image-operations.ts';
import { jobOperations } from './job-operations.ts';
import { type Answer, LIMIT_HEADERS, type Operation, ref } from './operation.ts';
import { serviceOperations } from './service-operations.ts';
import { webhookOperations } from './webhook-operations.ts';

export const OPERATIONS: readonly Operation[] = [
  ...jobOperations,
  ...imageOperations,
  ...webhookOperations,
  ...serviceOperations,
];

export interface Described {
  templates: ReadonlyMap<string, Template>;
  /** Whether callers must send one. */
  keys: boolean;
}

export function documentOf({ templates, keys }: Described) {
  const paths: Record<string, JsonSchema> = {};
  for (const operation of OPERATIONS) {
    const [method, route] = operation.route.split(' ') as [string, string];
    const path = route.replaceAll(/:(\w+)/g, '{$1}');
    const add = (at: string, id: string) =>
      ((paths[at] ??= {})[method.toLowerCase()] = operationOf(operation, id, { templates, keys }));
    add(`/api${path}`, operation.id);
    if (operation.alsoAtRoot) add(path, `${operation.id}AtRoot`);
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'ComfyUI as a production API',
      version: '1.0.0',
      description: [
        'Durable image generation: a job that was accepted is done, or says why not.',
        'Errors are `{"error": "<sentence>", "code": "<for machines>"}`. Another method at one of these addresses is a 405 that names those it takes.',
        'Every answer has an X-Request-Id: say it when you report something.',
      ].join('\n\n'),
      license: { name: 'MIT', identifier: 'MIT' },
    },
    // Where this document came from.
    servers: [{ url: '/' }],
    tags: [
      { name: 'Jobs', description: 'Ask for an image, and follow it' },
      { name: 'Images', description: 'What was made, and what jobs may start from' },
      { name: 'History', description: 'What has been' },
      { name: 'Webhooks', description: 'Being told when a job ends' },
      { name: 'Service', description: 'Workflows, hosts, health' },
      { name: 'Description', description: 'This document; open to all: it holds nobody’s data' },
    ],
    paths,
    components: {
      schemas: schemasOf(templates),
      responses: COMMON_RESPONSES,
      headers: { RequestId: headerOf('Names this request in the logs') },
      ...(keys && {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer', description: 'An API key, such as ck_…' },
          apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key', description: 'The same key' },
        },
      }),
    },
  };
}

function operationOf(operation: Operation, operationId: string, { templates, keys }: Described): JsonSchema {
  const { tag, summary, scope, parameters, body, callbacks } = operation;
  const description = [operation.description, keys && scope && `Takes a key with the scope \`${scope}\`.`]
    .filter(Boolean)
    .join(' ');
  const examples = operation.id === 'generate' ? generateExamples(templates) : undefined;
  return {
    operationId,
    tags: [tag],
    summary,
    ...(description && { description }),
    ...(keys && { security: scope ? [{ bearer: [] }, { apiKey: [] }] : [] }),
    ...(parameters && {
      parameters: parameters.map((parameter) => ({
        ...parameter,
        ...(parameter.in === 'path' && { required: true }),
      })),
    }),
    ...(body && {
      requestBody: {
        required: true,
        content: { [body.type]: { schema: body.schema, ...(examples && { examples }) } },
      },
    }),
    responses: responsesOf(operation, keys),
    ...(callbacks && { callbacks }),
  };
}

function responsesOf({ answers, errors = [], scope }: Operation, keys: boolean): Record<string, JsonSchema> {
  const responses: Record<string, JsonSchema> = {
    ...(keys && scope && { 401: response('Unauthorized'), 403: response('Forbidden') }),
    ...(keys && scope && { 429: response('TooManyReads') }),
    ...(scope && {
      413: response('TooLarge'),
      415: response('UnsupportedType'),
      503: response('Unavailable'),
    }),
    500: response('InternalError'),
  };
  for (const status of new Set(errors.map(statusOf)))
    responses[status] = answerOf(problemWith(errors.filter((code) => statusOf(code) === status)));
  for (const [status, answer] of Object.entries(answers)) responses[status] = answerOf(answer);
  return responses;
}

function answerOf({ description, content, headers, links }: Answer): JsonSchema {
  return {
    description,
    headers: headersOf(headers),
    ...(content && {
      content: Object.fromEntries(Object.entries(content).map(([type, schema]) => [type, { schema }])),
    }),
    ...(links && {
      links: Object.fromEntries(
        Object.entries(links).map(([operationId, parameters]) => [operationId, { operationId, parameters }]),
      ),
    }),
  };
}

function headersOf(headers: Record<string, string> = {}): JsonSchema {
  const own = Object.entries(headers).map(([name, description]) => [name, headerOf(description)]);
  return { 'X-Request-Id': { $ref: '#/components/headers/RequestId' }, ...Object.fromEntries(own) };
}

const headerOf = (description: string) => ({ description, schema: { type: 'string' } });

const response = (name: string): JsonSchema => ({ $ref: `#/components/responses/${name}` });

/** Headers that an error brings along. */
const OF_ERRORS: Partial<Record<number, Record<string, string>>> = {
  416: { 'Content-Range': 'How much there is' },
  429: { 'Retry-After': 'Seconds', ...LIMIT_HEADERS },
};

function problemWith(codes: readonly ErrorCode[]): Answer {
  return errorAnswer(codes.join(', '), OF_ERRORS[statusOf(codes[0]!)]);
}

function errorAnswer(description: string, headers?: Record<string, string>): Answer {
  return {
    description,
    content: { 'application/json': ref('Error') },
    ...(headers && { headers }),
  };
}

const COMMON_RESPONSES = {
  Unauthorized: answerOf(
    errorAnswer('unauthorized: no key, or none that is valid', { 'WWW-Authenticate': 'Bearer' }),
  ),
  Forbidden: answerOf(errorAnswer('forbidden: the key lacks a scope, which `details` names')),
  TooManyReads: answerOf(
    errorAnswer('too_many_requests: more was asked for in a minute than an owner may', {
      'Retry-After': 'Seconds',
    }),
  ),
  TooLarge: answerOf(errorAnswer('body_too_large')),
  UnsupportedType: answerOf(
    errorAnswer('unsupported_media_type: of another type than is taken here, or compressed'),
  ),
  Unavailable: answerOf(
    errorAnswer(
      'unavailable: the table or the bucket does not answer; disk_full: on one machine, until something is deleted',
      { 'Retry-After': 'Seconds' },
    ),
  ),
  InternalError: answerOf(errorAnswer('internal_error: our fault; the sentence names the request')),
};
