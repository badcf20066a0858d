// All tables behind one client. An entry point opens them once.

import { createChores, type Chores } from './chores.ts';
import type { StoreClient } from './client.ts';
import { createDeliveries, type Deliveries } from './deliveries.ts';
import { createFleetStore, type FleetStore } from './fleet.ts';
import { createHosts, type Hosts } from './hosts.ts';
import { createKeys, type Keys } from './keys.ts';
import { createJobs, type Jobs } from './jobs.ts';
import { createOwners, type Owners } from './owners.ts';
import { createSpread, type SpreadStore } from './queue-spread.ts';
import { createUploadCounts, type UploadCounts } from './upload-counts.ts';
import { createUsage, type UsageStore } from './usage.ts';
import { createWebhookSecrets, type WebhookSecrets } from './webhook-secrets.ts';

export interface Tables {
  spread: SpreadStore;
  jobs: Jobs;
  hosts: Hosts;
  fleetStore: FleetStore;
  chores: Chores;
  keys: Keys;
  deliveries: Deliveries;
  webhookSecrets: WebhookSecrets;
  owners: Owners;
  usage: UsageStore;
  uploadCounts: UploadCounts;
}

/** @param prefix of the tables' names */
export function openTables(client: StoreClient, prefix: string): Tables {
  const spread = createSpread(client, prefix);
  return {
    spread,
    jobs: createJobs(client, prefix, spread),
    hosts: createHosts(client, prefix),
    fleetStore: createFleetStore(client, prefix),
    chores: createChores(client, prefix),
    keys: createKeys(client, prefix),
    deliveries: createDeliveries(client, prefix),
    webhookSecrets: createWebhookSecrets(client, prefix),
    owners: createOwners(client, prefix),
    usage: createUsage(client, prefix),
    uploadCounts: createUploadCounts(client, prefix),
  };
}
