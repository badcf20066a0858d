// All tables of one engine. An entry point opens them once.

import { type Assets, createAssets } from './assets.ts';
import { type Calls, createCalls } from './calls.ts';
import { createChores, type Chores } from './chores.ts';
import type { Engine } from './engine.ts';
import { createDeliveries, type Deliveries } from './deliveries.ts';
import { createFleetStore, type FleetStore } from './fleet.ts';
import { createHosts, type Hosts } from './hosts.ts';
import { createKeys, type Keys } from './keys.ts';
import { createJobs, type Jobs } from './jobs.ts';
import { createOwners, type Owners } from './owners.ts';
import { createSpread, type SpreadStore } from './queue-spread.ts';
import { createLedgers, type Ledgers } from './ledgers.ts';
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
  assets: Assets;
  calls: Calls;
  ledgers: Ledgers;
}

export function openTables(engine: Engine): Tables {
  const spread = createSpread(engine);
  return {
    spread,
    jobs: createJobs(engine, spread),
    hosts: createHosts(engine),
    fleetStore: createFleetStore(engine),
    chores: createChores(engine),
    keys: createKeys(engine),
    deliveries: createDeliveries(engine),
    webhookSecrets: createWebhookSecrets(engine),
    owners: createOwners(engine),
    usage: createUsage(engine),
    uploadCounts: createUploadCounts(engine),
    assets: createAssets(engine),
    calls: createCalls(engine),
    ledgers: createLedgers(engine),
  };
}
