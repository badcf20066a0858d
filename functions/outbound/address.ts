// Which addresses may be called that a caller has named: public ones only. A name is judged by what it resolves to at that moment, and only
// judged addresses are connected to. Source: IANA's special-purpose address registries.

import { lookup, Resolver } from 'node:dns/promises';
import { BlockList, isIP, isIPv4, type LookupFunction } from 'node:net';

const NOT_PUBLIC_V4 = [
  ['0.0.0.0', 8], // this network, unspecified
  ['10.0.0.0', 8], // private
  ['100.64.0.0', 10], // carrier-grade NAT
  ['127.0.0.0', 8], // loopback
  ['168.63.129.16', 32], // a cloud's own services, at a public address
  ['169.254.0.0', 16], // link-local: metadata at 169.254.169.254
  ['172.16.0.0', 12], // private
  ['192.0.0.0', 24], // protocol assignments
  ['192.0.2.0', 24], // documentation
  ['192.88.99.0', 24], // relays of 6to4
  ['192.168.0.0', 16], // private
  ['198.18.0.0', 15], // benchmarks
  ['198.51.100.0', 24], // documentation
  ['203.0.113.0', 24], // documentation
  ['224.0.0.0', 4], // multicast
  ['240.0.0.0', 4], // reserved, broadcast
] as const;

/** All that is assigned; the rest is loopback, mapped and translated IPv4, unique local (metadata at fd00:ec2::254),
 * link-local, multicast or reserved. */
const PUBLIC_V6 = ['2000::', 3] as const;
const NOT_PUBLIC_V6 = [
  ['2001::', 23], // protocol assignments: Teredo, ORCHID, benchmarks
  ['2001:db8::', 32], // documentation
  ['2002::', 16], // 6to4: IPv4 inside
  ['3fff::', 20], // documentation
] as const;

function listOf(subnets: readonly (readonly [string, number])[], family: 'ipv4' | 'ipv6'): BlockList {
  const list = new BlockList();
  for (const [net, prefix] of subnets) list.addSubnet(net, prefix, family);
  return list;
}

// One list per family: a mixed one also matches IPv4 against mapped IPv6.
const closedV4 = listOf(NOT_PUBLIC_V4, 'ipv4');
const openV6 = listOf([PUBLIC_V6], 'ipv6');
const closedV6 = listOf(NOT_PUBLIC_V6, 'ipv6');

/** False for text that is not an IP address, and for one with a zone (`fe80::1%eth0`). */
export function isPublic(address: string): boolean {
  if (isIP(address) === 0 || address.includes('%')) return false;
  if (isIPv4(address)) return !closedV4.check(address, 'ipv4');
  return openV6.check(address, 'ipv6') && !closedV6.check(address, 'ipv6');
}

/** All IP addresses of a name. Rejects where there are none. */
export type Resolve = (name: string) => Promise<string[]>;

/** Resolves as other programs of this machine do, hosts file included. Only where private addresses are allowed. */
export const resolveAsMachine: Resolve = async (name) =>
  (await lookup(name, { all: true })).map(({ address }) => address);

const DNS_TIMEOUT = 1500;

/**
 * Resolves by DNS alone, without the machine's hosts file. `lookup` would occupy one of four pool threads for as long as a
 * name server takes.
 * @param servers name servers; absent: the machine's
 */
export const resolveByDns = (servers?: readonly string[]): Resolve => {
  return async (name) => {
    const resolver = new Resolver({ timeout: DNS_TIMEOUT, tries: 2 });
    if (servers) resolver.setServers(servers);
    const answers = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
    const addresses = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
    const refused = answers.find((answer) => answer.status === 'rejected');
    if (addresses.length === 0 && refused) throw refused.reason;
    return addresses;
  };
};

export interface Rules {
  resolve: Resolve;
  /** Allow any address except those in `own`. */
  allowPrivate: boolean;
  /** Host names and addresses of this service itself, in lower case. */
  own: ReadonlySet<string>;
}

/** It may not be called. The message is for the caller and reveals nothing of this network. */
export class Refused extends Error {
  override readonly name = 'Refused';
}

/** All addresses of the URL's host, each of them allowed. @throws Refused; what `resolve` rejects with */
export async function addressesOf(url: URL, { resolve, allowPrivate, own }: Rules): Promise<string[]> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const name = host.toLowerCase().replace(/\.$/, '');
  if (isIP(host) === 0 && own.has(name)) throw new Refused('this is an address of the service itself');
  const found = isIP(host) === 0 ? await resolve(host) : [host];
  if (found.length === 0) throw new Refused('the name has no address');
  // All of them must be public: a name with one private address is aimed at this network.
  if (!allowPrivate && !found.every(isPublic)) throw new Refused('the address is not a public one');
  if (found.some((address) => own.has(address)))
    throw new Refused('this is an address of the service itself');
  return found;
}

/** A lookup that returns the judged addresses, whatever the name resolves to by now. */
export function onlyTo(addresses: string[]): LookupFunction {
  const judged = addresses.map((address) => ({ address, family: isIPv4(address) ? 4 : 6 }));
  return (_name, { all }, answer) => {
    if (all) answer(null, judged);
    else answer(null, judged[0]!.address, judged[0]!.family);
  };
}

/** Node's error code: it contains no path and no address. */
export function reasonOf(error: unknown): string {
  const { code, errors } = error as { code?: string; errors?: { code?: string }[] };
  return code ?? errors?.[0]?.code ?? 'the connection failed';
}
