// The operations about the service, and those that describe it, which anybody may read.

import { json, type Operation, owner, ref } from './operation.ts';

export const serviceOperations: Operation[] = [
  {
    route: 'GET /workflows',
    id: 'workflows',
    tag: 'Service',
    summary: 'The workflows by name',
    scope: 'read',
    answers: { 200: json('Their names', 'Workflows') },
  },
  {
    route: 'GET /workflows/:name',
    id: 'workflow',
    tag: 'Service',
    summary: 'What a workflow takes',
    description: 'With the choices that the hosts of this moment offer.',
    scope: 'read',
    parameters: [
      {
        name: 'name',
        in: 'path',
        description: 'As the list gives it',
        schema: { type: 'string' },
        example: 'flux2_turbo_default',
      },
    ],
    answers: { 200: json('The workflow', 'Workflow') },
    errors: ['workflow_not_found'],
  },
  {
    route: 'GET /usage',
    id: 'usage',
    tag: 'Service',
    summary: 'One’s limits, and where one stands',
    description: 'Days and months are UTC’s. Nothing is limited where no keys are asked for.',
    scope: 'read',
    parameters: [owner],
    answers: { 200: json('The usage', 'Usage') },
  },
  {
    route: 'GET /system',
    id: 'system',
    tag: 'Service',
    summary: 'GPU hosts, their machines and models',
    scope: 'read',
    answers: { 200: json('What there is now', 'System') },
  },
  {
    route: 'GET /health',
    id: 'health',
    tag: 'Service',
    summary: 'Whether images can be made',
    scope: 'read',
    answers: {
      200: json('They can, or could after a host has started', 'Healthy'),
      503: {
        description: 'They cannot (comfyui_not_responding), or the table does not answer (unavailable)',
        content: { 'application/json': { anyOf: [ref('Unhealthy'), ref('Error')] } },
        headers: { 'Retry-After': 'Seconds, where it may help' },
      },
    },
  },
  {
    route: 'GET /openapi.json',
    id: 'openapi',
    tag: 'Description',
    summary: 'This document',
    alsoAtRoot: true,
    answers: {
      200: {
        description: 'OpenAPI 3.1',
        content: { 'application/json': { type: 'object' } },
        headers: { ETag: 'Of this document' },
      },
      304: { description: 'The copy at hand is the same' },
    },
  },
  {
    route: 'GET /docs',
    id: 'docs',
    tag: 'Description',
    summary: 'This document as a page',
    alsoAtRoot: true,
    answers: {
      200: {
        description: 'The page',
        content: { 'text/html': { type: 'string' } },
        headers: { ETag: 'Of this page' },
      },
      304: { description: 'The copy at hand is the same' },
    },
  },
  {
    route: 'GET /docs/:file',
    id: 'docsFile',
    tag: 'Description',
    summary: 'What the page consists of',
    alsoAtRoot: true,
    parameters: [
      {
        name: 'file',
        in: 'path',
        description: 'As the page names it',
        schema: { type: 'string', enum: ['swagger-ui.css', 'swagger-ui-bundle.js', 'start.js'] },
      },
    ],
    answers: {
      200: {
        description: 'The file',
        content: { 'text/css': { type: 'string' }, 'text/javascript': { type: 'string' } },
        headers: { ETag: 'Of this file' },
      },
      304: { description: 'The copy at hand is the same' },
    },
    errors: ['route_not_found'],
  },
];
