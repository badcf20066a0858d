// Names as a name server on the internet says them, and not as this machine knows them. With a name server of our own.

import { createSocket, type Socket } from 'node:dgram';
import { hostname } from 'node:os';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { resolveAsMachine, resolveByDns } from '../../functions/outbound/address.ts';

/** What it says of a name; `'silent'`: nothing. */
type Records = { A?: string[]; AAAA?: string[] } | 'silent';
let records: Record<string, Records>;
let server: Socket;
let asked: string[];
beforeEach(async () => {
  records = {};
  asked = [];
  server = createSocket('udp4');
  server.on('message', (query, { port, address }) => {
    const answer = answerTo(query);
    if (answer) server.send(answer, port, address);
  });
  await new Promise<void>((resolve) => {
    server.bind(0, '127.0.0.1', resolve);
  });
});
afterEach(() => new Promise<void>((resolve) => void server.close(resolve)));

const resolve = (name: string) => resolveByDns([`127.0.0.1:${server.address().port}`])(name);

test('a name is all of its addresses, of both kinds', async () => {
  records = { 'hook.example': { A: ['1.2.3.4', '10.0.0.1'], AAAA: ['2606:4700::1'] } };
  expect((await resolve('hook.example')).toSorted()).toEqual(['1.2.3.4', '10.0.0.1', '2606:4700::1']);
});

test('one kind is enough', async () => {
  records = { 'four.example': { A: ['1.2.3.4'] }, 'six.example': { AAAA: ['2606:4700::1'] } };
  expect(await resolve('four.example')).toEqual(['1.2.3.4']);
  expect(await resolve('six.example')).toEqual(['2606:4700::1']);
});

test('a name that there is not is an error', async () => {
  await expect(resolve('nowhere.example')).rejects.toMatchObject({ code: 'ENOTFOUND' });
});

test('each time it is asked anew: nothing is remembered', async () => {
  records = { 'hook.example': { A: ['1.2.3.4'] } };
  await resolve('hook.example');
  records = { 'hook.example': { A: ['127.0.0.1'] } };
  expect(await resolve('hook.example')).toEqual(['127.0.0.1']);
});

test('what this machine has a name of its own for is asked of the name server', async () => {
  expect(await resolveAsMachine('localhost')).toContain('127.0.0.1');
  await expect(resolve(`${hostname()}.example`)).rejects.toMatchObject({ code: 'ENOTFOUND' });
  expect(asked.some((name) => name.startsWith(hostname().toLowerCase()))).toBe(true);
});

test('a silent name server is an error in seconds', { timeout: 15_000 }, async () => {
  records = { 'slow.example': 'silent' };
  const started = performance.now();
  await expect(resolve('slow.example')).rejects.toMatchObject({ code: 'ETIMEOUT' });
  expect(performance.now() - started).toBeLessThan(10_000);
});

/** RFC 1035: the header, the question as it came, and a record for each address. */
function answerTo(query: Buffer): Buffer | undefined {
  let at = 12;
  const labels: string[] = [];
  while (query[at] !== 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + query[at]!));
    at += query[at]! + 1;
  }
  const name = labels.join('.').toLowerCase();
  asked.push(name);
  const type = query.readUInt16BE(at + 1);
  const known = records[name];
  if (known === 'silent') return undefined;
  const addresses = (type === 1 ? known?.A : type === 28 ? known?.AAAA : undefined) ?? [];
  const header = Buffer.from(query.subarray(0, 12));
  header.writeUInt16BE(known ? 0x8180 : 0x8183, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(addresses.length, 6);
  header.writeUInt32BE(0, 8);
  const answers = addresses.map((address) => {
    const bytes = type === 1 ? Buffer.from(address.split('.').map(Number)) : bytesOfV6(address);
    const head = Buffer.alloc(12);
    head.writeUInt16BE(0xc00c, 0);
    head.writeUInt16BE(type, 2);
    head.writeUInt16BE(1, 4);
    head.writeUInt32BE(300, 6);
    head.writeUInt16BE(bytes.length, 10);
    return Buffer.concat([head, bytes]);
  });
  return Buffer.concat([header, query.subarray(12, at + 5), ...answers]);
}

function bytesOfV6(address: string): Buffer {
  const [left = '', right = ''] = address.split('::');
  const groups = (text: string) => (text === '' ? [] : text.split(':'));
  const missing = 8 - groups(left).length - groups(right).length;
  const all = [...groups(left), ...Array<string>(missing).fill('0'), ...groups(right)];
  return Buffer.from(all.map((group) => group.padStart(4, '0')).join(''), 'hex');
}
