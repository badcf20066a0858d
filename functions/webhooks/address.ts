// Whether an address may be called: only what anybody on the internet may reach. Names are judged by what they resolve
// to at that moment, and only what was judged is connected to. Source: IANA's special-purpose address registries.

import { lookup, Resolver } from 'node:dns/promises';
import { BlockList, isIP, isIPv4 } from 'node:net';

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

/** All that is given out; the rest is loopback, mapped and translated IPv4, unique local (metadata at fd00:ec2::254),
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

// One list a family: a mixed one also compares IPv4 with what is mapped into IPv6.
const closedV4 = listOf(NOT_PUBLIC_V4, 'ipv4');
const openV6 = listOf([PUBLIC_V6], 'ipv6');
const closedV6 = listOf(NOT_PUBLIC_V6, 'ipv6');

export function isPublic(address: string): boolean {
  if (isIP(address) === 0 || address.includes('%')) return false;
  if (isIPv4(address)) return !closedV4.check(address, 'ipv4');
  return openV6.check(address, 'ipv6') && !closedV6.check(address, 'ipv6');
}

/** All addresses of a name. Throws where there are none. */
export type Resolve = (name: string) => Promise<string[]>;

/** As every program of this machine sees names: its own hosts file too. Only where private addresses are allowed. */
export const resolveAsMachine: Resolve = async (name) =>
  (await lookup(name, { all: true })).map(({ address }) => address);

const DNS_TIMEOUT = 1500;

/**
 * By DNS alone, without the machine's hosts file. Not by `lookup`: that takes a thread of the pool for as long as a
 * name server likes, and there are four.
 * @param servers else those of the machine
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
  /** Any address but none of `own`. */
  allowPrivate: boolean;
  /** Host names and addresses of this service itself, in small letters. */
  own: ReadonlySet<string>;
}

/** Why something is not called; the sentence is for whoever gave the address, and tells nothing of our network. */
export class Refused extends Error {
  override readonly name = 'Refused';
}

/** All addresses that the host stands for, each of them judged. @throws Refused, or as `resolve` does */
export async function addressesOf(url: URL, { resolve, allowPrivate, own }: Rules): Promise<string[]> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const name = host.toLowerCase().replace(/\.$/, '');
  if (isIP(host) === 0 && own.has(name)) throw new Refused('this is an address of the service itself');
  const found = isIP(host) === 0 ? await resolve(host) : [host];
  if (found.length === 0) throw new Refused('the name has no address');
  // All, not the good ones of them: a name that is half ours is meant for us.
  if (!allowPrivate && !found.every(isPublic)) throw new Refused('the address is not a public one');
  if (found.some((address) => own.has(address)))
    throw new Refused('this is an address of the service itself');
  return found;
}
