// What this service itself is called: never an address of a webhook.

import { networkInterfaces } from 'node:os';

/** @param hosts names that it is reached by; the addresses of this machine are added */
export function ownAddresses(hosts: readonly string[]): ReadonlySet<string> {
  const addresses = Object.values(networkInterfaces()).flatMap(
    (all) => all?.map(({ address }) => address) ?? [],
  );
  return new Set([...hosts.map((host) => host.toLowerCase()), ...addresses]);
}
