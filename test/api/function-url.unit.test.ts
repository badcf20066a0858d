// What a Function URL hands over as a request, of callers before the origin check.

import { expect, test } from 'vitest';
import { requestOf } from '../../functions/api/http/function-url.ts';
import { describeEvent } from '../../functions/runtime/stream.ts';

const event = (method: string, body?: string) => ({
  version: '2.0',
  rawPath: '/api/queue',
  rawQueryString: '',
  headers: { 'content-type': 'application/json' },
  requestContext: { domainName: 'x.lambda-url.us-east-1.on.aws', http: { method } },
  body,
  isBase64Encoded: false,
});

test.each(['GET', 'HEAD', 'get'])('a %s with a body is read without it', async (method) => {
  const { request, readable } = requestOf(event(method, '{"a": 1}'), describeEvent);
  expect({ method: request.method, body: await request.text(), readable }).toEqual({
    method: method.toUpperCase(),
    body: '',
    readable: true,
  });
});

test('a POST has its body', async () => {
  const { request } = requestOf(event('POST', '{"a": 1}'), describeEvent);
  expect(await request.text()).toBe('{"a": 1}');
});
