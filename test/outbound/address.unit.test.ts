// Which addresses a webhook may be sent to: what anybody on the internet may reach, in whatever form it is written.

import { describe, expect, test } from 'vitest';
import { addressesOf, isPublic, type Rules } from '../../functions/outbound/address.ts';
import { ownAddresses } from '../../functions/outbound/own-addresses.ts';

const rules = (found: string[], more: Partial<Rules> = {}): Rules => ({
  resolve: () => Promise.resolve(found),
  allowPrivate: false,
  own: new Set(),
  ...more,
});
/** What no name needs to be looked up for. */
const literal = (url: string, more: Partial<Rules> = {}) =>
  addressesOf(new URL(url), {
    ...rules([]),
    resolve: () => Promise.reject(new Error('nothing is to be looked up')),
    ...more,
  });

test.each([
  '1.1.1.1',
  '8.8.8.8',
  '9.255.255.255',
  '11.0.0.0',
  '100.63.255.255',
  '100.128.0.0',
  '128.0.0.1',
  '169.253.255.255',
  '169.255.0.0',
  '172.15.255.255',
  '172.32.0.0',
  '192.0.1.0',
  '192.167.255.255',
  '192.169.0.0',
  '198.17.255.255',
  '198.20.0.0',
  '223.255.255.255',
  '2606:4700:4700::1111',
  '2a00:1450:4001:80b::200e',
  '2003::1',
])('%s is public', (address) => {
  expect(isPublic(address)).toBe(true);
});

test.each([
  ['unspecified', '0.0.0.0'],
  ['of this network', '0.255.255.255'],
  ['private', '10.0.0.1'],
  ['private', '10.255.255.255'],
  ['carrier-grade NAT', '100.64.0.1'],
  ['carrier-grade NAT', '100.127.255.255'],
  ['metadata of one cloud', '100.100.100.200'],
  ['loopback', '127.0.0.1'],
  ['loopback', '127.255.255.255'],
  ['services of one cloud', '168.63.129.16'],
  ['link-local', '169.254.0.1'],
  ['metadata', '169.254.169.254'],
  ['metadata of containers', '169.254.170.2'],
  ['private', '172.16.0.1'],
  ['private', '172.31.255.255'],
  ['protocol assignments', '192.0.0.192'],
  ['documentation', '192.0.2.1'],
  ['6to4 relays', '192.88.99.1'],
  ['private', '192.168.1.1'],
  ['benchmarks', '198.18.0.1'],
  ['benchmarks', '198.19.255.255'],
  ['documentation', '198.51.100.1'],
  ['documentation', '203.0.113.1'],
  ['multicast', '224.0.0.1'],
  ['multicast', '239.255.255.255'],
  ['reserved', '240.0.0.1'],
  ['broadcast', '255.255.255.255'],
  ['unspecified', '::'],
  ['loopback', '::1'],
  ['IPv4 inside', '::127.0.0.1'],
  ['IPv4 inside, public', '::8.8.8.8'],
  ['mapped loopback', '::ffff:127.0.0.1'],
  ['mapped loopback', '::ffff:7f00:1'],
  ['mapped metadata', '::ffff:a9fe:a9fe'],
  ['mapped public', '::ffff:8.8.8.8'],
  ['translated', '::ffff:0:127.0.0.1'],
  ['NAT64 of loopback', '64:ff9b::7f00:1'],
  ['NAT64 of metadata', '64:ff9b::169.254.169.254'],
  ['NAT64 of a network', '64:ff9b:1::a00:1'],
  ['discard', '100::1'],
  ['Teredo', '2001::1'],
  ['benchmarks', '2001:2::1'],
  ['ORCHID', '2001:20::1'],
  ['documentation', '2001:db8::1'],
  ['6to4 of loopback', '2002:7f00:1::'],
  ['6to4 of metadata', '2002:a9fe:a9fe::1'],
  ['documentation', '3fff::1'],
  ['segment routing', '5f00::1'],
  ['unique local', 'fc00::1'],
  ['metadata', 'fd00:ec2::254'],
  ['link-local', 'fe80::1'],
  ['link-local, on a link', 'fe80::1%eth0'],
  ['site-local', 'fec0::1'],
  ['multicast', 'ff02::1'],
  ['no address', 'localhost'],
  ['no address', ''],
  ['no address', '8.8.8.8.8'],
])('%s is not public: %s', (_what, address) => {
  expect(isPublic(address)).toBe(false);
});

describe('a host that is an address', () => {
  test.each([
    'https://127.0.0.1/',
    'https://2130706433/',
    'https://0x7f000001/',
    'https://0177.0.0.1/',
    'https://127.1/',
    'https://127.0.0.1./',
    'https://①②⑦.0.0.1/',
    'https://0/',
    'https://[::1]/',
    'https://[::ffff:127.0.0.1]/',
    'https://[0:0:0:0:0:ffff:7f00:1]/',
    'https://[fd00:ec2::254]/',
    'https://2852039166/latest/meta-data/',
    'https://0xa9fea9fe/',
    'https://[64:ff9b::a9fe:a9fe]/',
  ])('%s is refused as what it is', async (url) => {
    await expect(literal(url)).rejects.toThrow('the address is not a public one');
  });

  test.each([
    ['https://134744072/', '8.8.8.8'],
    ['https://010.010.010.010/', '8.8.8.8'],
    ['https://[2606:4700::1111]/', '2606:4700::1111'],
  ])('%s is called at %s, and not looked up', async (url, address) => {
    expect(await literal(url)).toEqual([address]);
  });
});

describe('a name', () => {
  const at = (found: string[], more: Partial<Rules> = {}) =>
    addressesOf(new URL('https://hook.example/'), rules(found, more));

  test('is all of its addresses', async () => {
    expect(await at(['1.1.1.1', '2606:4700::1'])).toEqual(['1.1.1.1', '2606:4700::1']);
  });

  test('of which one is not public is refused whole, wherever that one stands', async () => {
    for (const found of [
      ['1.1.1.1', '127.0.0.1'],
      ['::1', '1.1.1.1'],
      ['1.1.1.1', '::ffff:10.0.0.1'],
    ])
      await expect(at(found)).rejects.toThrow('the address is not a public one');
  });

  test('that stands for nothing is refused', async () => {
    await expect(at([])).rejects.toThrow('the name has no address');
  });

  test('the refusal does not say what it resolved to: that would reveal this network', async () => {
    await expect(at(['10.1.2.3'])).rejects.toThrow(/^the address is not a public one$/);
  });

  test('of one’s own machine is allowed where that is said', async () => {
    expect(await at(['127.0.0.1'], { allowPrivate: true })).toEqual(['127.0.0.1']);
  });
});

describe('this service itself', () => {
  const own = ownAddresses(['Images.example.com', 'd1.cloudfront.net']);

  test.each([
    'https://images.example.com/x',
    'https://IMAGES.EXAMPLE.COM./',
    'https://d1.cloudfront.net:8443/',
  ])('%s is refused by its name, and not looked up', async (url) => {
    await expect(literal(url, { own })).rejects.toThrow('this is an address of the service itself');
  });

  test('is refused by the address of this machine, under whatever name', async () => {
    expect(own.has('127.0.0.1')).toBe(true);
    const machine = new Set(['93.184.216.34']);
    await expect(
      addressesOf(new URL('https://alias.example/'), rules(['93.184.216.34'], { own: machine })),
    ).rejects.toThrow('this is an address of the service itself');
  });

  test('a name that only ends like it is another’s', async () => {
    expect(await addressesOf(new URL('https://xd1.cloudfront.net/'), rules(['1.1.1.1'], { own }))).toEqual([
      '1.1.1.1',
    ]);
  });
});
