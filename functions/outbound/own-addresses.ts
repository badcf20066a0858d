// This service's own names and addresses, which nothing that a caller names may call.

import { networkInterfaces } from 'node:os';

/** @param hosts names of this service. @returns them in lower case, and the addresses of this machine */
export function ownAddresses(hosts: readonly string[]): ReadonlySet<string> {
  const addresses = Object.values(networkInterfaces()).flatMap(
    (all) => all?.map(({ address }) => address) ?? [],
  );
  return new Set([...hosts.map((host) => host.toLowerCase()), ...addresses]);
}
