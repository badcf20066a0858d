// Which requests begin in which turn of the event loop.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { expect, test } from 'vitest';
import { fewATurn } from '../../functions/runtime/few-a-turn.ts';

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));
const response = {} as ServerResponse;

function collecting() {
  const begun: string[] = [];
  const listen = fewATurn(({ url }) => void begun.push(url!));
  const ask = (method: string, url: string): IncomingMessage => {
    const request = { method, url, destroyed: false } as IncomingMessage;
    listen(request, response);
    return request;
  };
  return { begun, ask };
}

test('the first four begin at once, writes before reads in the turns after', async () => {
  const { begun, ask } = collecting();
  for (const read of ['a', 'b', 'c', 'd', 'e', 'f', 'g']) ask('GET', read);
  for (const write of ['W', 'X']) ask('POST', write);
  ask('HEAD', 'h');
  expect(begun.join('')).toBe('abcd');
  await nextTurn();
  expect(begun.join('')).toBe('abcdWXef');
  await nextTurn();
  expect(begun.join('')).toBe('abcdWXefgh');
});

test('one that went away does not begin, and takes no place', async () => {
  const { begun, ask } = collecting();
  const asked = ['a', 'b', 'c', 'd', 'e', 'f'].map((url) => ask('GET', url));
  asked[4]!.destroyed = true;
  await nextTurn();
  expect(begun.join('')).toBe('abcdf');
});

test('after a pause the first begin at once again', async () => {
  const { begun, ask } = collecting();
  for (const url of ['a', 'b', 'c', 'd', 'e']) ask('GET', url);
  for (let turns = 0; turns < 3; turns += 1) await nextTurn();
  ask('GET', 'f');
  expect(begun.join('')).toBe('abcdef');
});

test('one that is asked while others wait does not overtake them', async () => {
  const { begun, ask } = collecting();
  for (const url of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i']) ask('GET', url);
  await nextTurn();
  ask('GET', 'j');
  expect(begun.join('')).toBe('abcdefgh');
  await nextTurn();
  expect(begun.join('')).toBe('abcdefghij');
});
