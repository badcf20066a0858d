// All tables behind one client: what an entry point opens once.

import { createChores, type Chores } from './chores.ts';
import type { StoreClient } from './client.ts';
import { createFleetStore, type FleetStore } from './fleet.ts';
import { createHosts, type Hosts } from './hosts.ts';
import { createKeys, type Keys } from './keys.ts';
import { createJobs, type Jobs } from './jobs.ts';

export interface Tables {
  jobs: Jobs;
  hosts: Hosts;
  fleetStore: FleetStore;
  chores: Chores;
  keys: Keys;
}

/** @param prefix of the tables' names */
export function openTables(client: StoreClient, prefix: string): Tables {
  return {
    jobs: createJobs(client, prefix),
    hosts: createHosts(client, prefix),
    fleetStore: createFleetStore(client, prefix),
    chores: createChores(client, prefix),
    keys: createKeys(client, prefix),
  };
}
