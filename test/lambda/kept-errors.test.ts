// The stand-in for CloudFront's cache of errors against what its developer guide says of it.

import { expect, test } from 'vitest';
import { keptErrors } from './kept-errors.ts';

const TTL = new Map([
  [404, 0],
  [503, 3000],
]);
const seconds = (
  status: number,
  cacheControl?: string,
  method = 'GET',
  ttl: ReadonlyMap<number, number> = new Map(),
) =>
  keptErrors(ttl).ttlOf(method, {
    status,
    headers: cacheControl === undefined ? {} : { 'cache-control': cacheControl },
  }) / 1000;

test.each([404, 405, 410, 414, 500, 501, 502, 503, 504])('%i is kept for ten seconds', (status) => {
  expect([seconds(status), seconds(status, undefined, 'HEAD')]).toEqual([10, 10]);
});

test.each([401, 409, 416, 422, 429])('%i is kept for nobody', (status) => {
  expect([seconds(status), seconds(status, 'max-age=60')]).toEqual([0, 0]);
});

test.each([400, 403, 412, 415])('%i is kept where it says for how long', (status) => {
  expect([seconds(status), seconds(status, 'no-store'), seconds(status, 'max-age=60')]).toEqual([0, 0, 10]);
});

test.each([
  [404, 0],
  [410, 0],
  [414, 0],
  [501, 0],
  [405, 10],
  [500, 10],
  [503, 10],
])('no-store with %i: kept for %i s', (status, kept) => {
  expect([seconds(status, 'no-store'), seconds(status, 'private, no-cache')]).toEqual([kept, kept]);
});

test('a post, and what is asked with another method, is kept for nobody', () => {
  expect([seconds(404, undefined, 'POST'), seconds(404, undefined, 'OPTIONS')]).toEqual([0, 0]);
});

test('an error response of the distribution says for how long', () => {
  expect([seconds(404, undefined, 'GET', TTL), seconds(503, 'no-store', 'GET', TTL)]).toEqual([0, 3]);
});

test('GET and HEAD of an address share it, whoever asks, until its time is over', () => {
  let now = 0;
  const kept = keptErrors(new Map(), () => now);
  const answer = { status: 404, headers: {}, body: Buffer.from('{}') };
  kept.keep('/api/status/1', answer, 10_000);
  expect([kept.find('GET', '/api/status/1'), kept.find('HEAD', '/api/status/1')]).toEqual([answer, answer]);
  expect([kept.find('POST', '/api/status/1'), kept.find('GET', '/api/status/2')]).toEqual([
    undefined,
    undefined,
  ]);
  now = 10_000;
  expect(kept.find('GET', '/api/status/1')).toBeUndefined();
});
