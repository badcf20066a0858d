// CloudFront's function that answers preflights, run as it is deployed, beside the app's own answer to the same.

import { runInNewContext } from 'node:vm';
import type { Template } from 'aws-cdk-lib/assertions';
import { Hono } from 'hono';
import { expect, test } from 'vitest';
import { crossOrigin } from '../../functions/api/http/headers.ts';
import { templatesWith } from './synth.ts';

interface ViewerRequest {
  method: string;
  uri: string;
  headers: Record<string, { value: string }>;
}
interface ViewerResponse {
  statusCode: number;
  headers: Record<string, { value: string }>;
}

const templates = new Map<string, Template>();
function templateFor(allowedOrigins: string): Template {
  if (!templates.has(allowedOrigins))
    templates.set(allowedOrigins, templatesWith({ allowedOrigins }).compute);
  return templates.get(allowedOrigins)!;
}

/** @param allowedOrigins the setting */
function deployed(allowedOrigins: string): (request: ViewerRequest) => ViewerRequest | ViewerResponse {
  const [found] = Object.values(templateFor(allowedOrigins).findResources('AWS::CloudFront::Function'));
  const { FunctionCode, FunctionConfig } = found!['Properties'] as {
    FunctionCode: string;
    FunctionConfig: { Runtime: string };
  };
  expect(FunctionConfig.Runtime).toBe('cloudfront-js-2.0');
  return (request) =>
    runInNewContext(`${FunctionCode}; handler(event)`, { event: { request } }) as ViewerResponse;
}

const NAMED = 'https://a.example, https://b.example:8443';
const preflight = (origin: string): ViewerRequest => ({
  method: 'OPTIONS',
  uri: '/api/generate',
  headers: {
    origin: { value: origin },
    'access-control-request-method': { value: 'POST' },
    'access-control-request-headers': { value: 'content-type,x-api-key' },
  },
});

test.each([
  ['*', 'https://a.example'],
  [NAMED, 'https://a.example'],
  [NAMED, 'https://b.example:8443'],
  [NAMED, 'https://c.example'],
])('with allowedOrigins %j a page of %s is told what the app would tell it', async (allowed, origin) => {
  const asked = preflight(origin);
  const app = new Hono();
  app.use(crossOrigin({ allowedOrigins: allowed.split(',').map((one) => one.trim()) }));
  const ours = await app.request(asked.uri, {
    method: asked.method,
    headers: Object.fromEntries(Object.entries(asked.headers).map(([name, { value }]) => [name, value])),
  });
  const { statusCode, headers } = deployed(allowed)(asked) as ViewerResponse;
  const told = Object.entries(headers).map(([name, { value }]): [string, string] => [name, value]);
  expect(statusCode).toBe(ours.status);
  expect(Object.fromEntries(told)).toEqual(
    Object.fromEntries([...ours.headers].filter(([name]) => name !== 'access-control-expose-headers')),
  );
});

test.each<[string, Partial<ViewerRequest>]>([
  ['a call', { method: 'POST' }],
  ['OPTIONS of no browser', { headers: {} }],
  ['OPTIONS of a page, but no preflight', { headers: { origin: { value: 'https://a.example' } } }],
])('%s goes on to the function as it is', (_, changes) => {
  const request = { ...preflight('https://a.example'), ...changes };
  expect(deployed('*')(request)).toBe(request);
});

test('every request passes it, but for the console’s files, which no page of another origin sends with a key', () => {
  const [distribution] = Object.values(templateFor('*').findResources('AWS::CloudFront::Distribution'));
  const { DefaultCacheBehavior, CacheBehaviors } = distribution!['Properties'].DistributionConfig;
  expect(DefaultCacheBehavior.FunctionAssociations).toEqual([
    { EventType: 'viewer-request', FunctionARN: { 'Fn::GetAtt': [expect.any(String), 'FunctionARN'] } },
  ]);
  expect(CacheBehaviors).toEqual([expect.objectContaining({ PathPattern: '/console/*' })]);
  expect(CacheBehaviors[0]).not.toHaveProperty('FunctionAssociations');
});
