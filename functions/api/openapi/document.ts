// The OpenAPI 3.1 document, made from the routes as they are declared, the schemas of what they answer, and the status of
// each error. Pure.

import { type AnswerError, STATUS } from '../../core/errors.ts';
import type { Template } from '../../core/template.ts';
import { schemasOf } from './components.ts';
import { generateExamples } from './generate-body.ts';
import { type Answer, type JsonSchema, LIMIT_HEADERS, ref } from '../http/answers.ts';
import type { Declared } from '../http/route.ts';

export interface Described {
  templates: ReadonlyMap<string, Template>;
  /** Whether callers must send one. */
  keys: boolean;
}

export function documentOf(routes: readonly Declared[], { templates, keys }: Described) {
  const paths: Record<string, JsonSchema> = {};
  for (const declared of routes) {
    const [method, at] = declared.route.split(' ') as [string, string];
    const path = at.replaceAll(/:(\w+)/g, '{$1}');
    const add = (at: string, id: string) =>
      ((paths[at] ??= {})[method.toLowerCase()] = operationOf(declared, id, { templates, keys }));
    add(`/api${path}`, declared.id);
    if (declared.alsoAtRoot) add(path, `${declared.id}AtRoot`);
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
      { name: 'Webhooks', description: 'A POST to your endpoint when a job ends' },
      { name: 'Service', description: 'Workflows, hosts, health' },
      { name: 'Operations', description: 'What the whole deployment does, for keys with the scope admin' },
      { name: 'Description', description: 'This document; open to all: it holds no owner’s data' },
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

function operationOf(declared: Declared, operationId: string, { templates, keys }: Described): JsonSchema {
  const { tag, summary, scope, parameters, body, callbacks } = declared;
  const description = [declared.description, keys && scope && `Takes a key with the scope \`${scope}\`.`]
    .filter(Boolean)
    .join(' ');
  const examples = declared.id === 'generate' ? generateExamples(templates) : undefined;
  return {
    operationId,
    tags: [tag],
    summary,
    ...(description && { description }),
    ...(keys && { security: scope ? [{ bearer: [] }, { apiKey: [] }] : [] }),
    ...(parameters && {
      parameters: Object.values(parameters).map(({ name, in: place, description, schema, example }) => ({
        name,
        in: place,
        description,
        schema,
        ...(example !== undefined && { example }),
        ...(place === 'path' && { required: true }),
      })),
    }),
    ...(body && {
      requestBody: {
        required: true,
        content: { [body.type]: { schema: body.schema, ...(examples && { examples }) } },
      },
    }),
    responses: responsesOf(declared, keys),
    ...(callbacks && { callbacks }),
  };
}

function responsesOf({ answers, errors = [], scope }: Declared, keys: boolean): Record<string, JsonSchema> {
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
  for (const status of new Set(errors.map((code) => STATUS[code])))
    responses[status] = answerOf(problemWith(errors.filter((code) => STATUS[code] === status)));
  for (const [status, answer] of Object.entries(answers)) responses[status] = answerOf(answer);
  return responses;
}

function answerOf({ description, schema, headers, links, ...rest }: Answer): JsonSchema {
  const content = schema === undefined ? rest.content : { 'application/json': ref(schema) };
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

function problemWith(codes: readonly AnswerError[]): Answer {
  return errorAnswer(codes.join(', '), OF_ERRORS[STATUS[codes[0]!]]);
}

function errorAnswer(description: string, headers?: Record<string, string>): Answer {
  return { description, schema: 'Error', ...(headers && { headers }) };
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
