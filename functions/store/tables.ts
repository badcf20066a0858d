// The tables: names, keys and indexes. infra deploys them and local mode creates them from this one description. One
// table per thing, without overloaded keys. Source: docs/architecture.md, "Tables".

export interface TableSpec {
  /** Without the prefix, which is the stage's name. */
  name: string;
  partitionKey: string;
  sortKey?: string;
  /** All indexes are KEYS_ONLY and sparse. */
  indexes: { name: string; partitionKey: string; sortKey: string }[];
  /** Keys that are numbers; every other key is a string. */
  numbers?: readonly string[];
  /** The attribute that holds the time of expiry, in seconds. */
  ttl: string;
}

export const jobsTable = {
  name: 'jobs',
  partitionKey: 'jobId',
  sortKey: 'part',
  indexes: [
    { name: 'byWork', partitionKey: 'work', sortKey: 'workOrder' },
    // All of an owner's jobs, in the order of acceptance.
    { name: 'byOwner', partitionKey: 'owner', sortKey: 'ownerOrder' },
    // Jobs that ran to an end, for lists.
    { name: 'byList', partitionKey: 'owner', sortKey: 'listOrder' },
    // The outbox: the write that ends a job puts it in.
    { name: 'byHook', partitionKey: 'hook', sortKey: 'endedAt' },
  ],
  numbers: ['endedAt'],
  ttl: 'expiresAt',
} as const satisfies TableSpec;

export const hostsTable = {
  name: 'hosts',
  partitionKey: 'hostId',
  indexes: [],
  ttl: 'expiresAt',
} as const satisfies TableSpec;

/** The secrets that offers to hosts are signed with. Hosts may read the hosts table, so the secrets are not there. */
export const intakesTable = {
  name: 'intakes',
  partitionKey: 'hostId',
  indexes: [],
  ttl: 'expiresAt',
} as const satisfies TableSpec;

/** What the controller knows of the GPU hosts, and how many keys waiting jobs are spread over: an item each. */
export const fleetTable = {
  name: 'fleet',
  partitionKey: 'fleetId',
  indexes: [],
  ttl: 'expiresAt',
} as const satisfies TableSpec;

/** What the API has begun and the controller finishes. */
export const choresTable = {
  name: 'chores',
  partitionKey: 'choreId',
  indexes: [],
  ttl: 'expiresAt',
} as const satisfies TableSpec;

/** API keys, as hashes. */
export const keysTable = {
  name: 'keys',
  partitionKey: 'keyId',
  indexes: [],
  ttl: 'expiresAt',
} as const satisfies TableSpec;

/** What is to be sent to a webhook, and what was sent. */
export const deliveriesTable = {
  name: 'deliveries',
  partitionKey: 'deliveryId',
  indexes: [
    { name: 'byDue', partitionKey: 'due', sortKey: 'dueOrder' },
    { name: 'byOwner', partitionKey: 'owner', sortKey: 'ownerOrder' },
    // Everybody's: a delivery's type never changes, and earlier releases wrote it too.
    { name: 'byType', partitionKey: 'type', sortKey: 'ownerOrder' },
  ],
  ttl: 'expiresAt',
} as const satisfies TableSpec;

/** The secrets that an owner's webhooks are signed with. */
export const webhookSecretsTable = {
  name: 'webhook-secrets',
  partitionKey: 'owner',
  indexes: [],
  ttl: 'expiresAt',
} as const satisfies TableSpec;

/** An owner's limits, its bucket of requests and its last start tag. */
export const ownersTable = {
  name: 'owners',
  partitionKey: 'owner',
  indexes: [],
  ttl: 'expiresAt',
} as const satisfies TableSpec;

/** A day of an owner: what it has used. In the index while it has a reservation. */
export const usageTable = {
  name: 'usage',
  partitionKey: 'owner',
  sortKey: 'day',
  indexes: [{ name: 'byOpen', partitionKey: 'open', sortKey: 'day' }],
  ttl: 'expiresAt',
} as const satisfies TableSpec;

/** Assets of the Comfy API v2, by their id, and how many of an owner's lie over the same bytes. */
export const assetsTable = {
  name: 'assets',
  partitionKey: 'assetId',
  indexes: [],
  ttl: 'expiresAt',
} as const satisfies TableSpec;

/** What ended jobs came to: an hour of a process each. */
export const ledgersTable = {
  name: 'ledgers',
  partitionKey: 'ledgerId',
  indexes: [{ name: 'byHour', partitionKey: 'hour', sortKey: 'ledgerId' }],
  ttl: 'expiresAt',
} as const satisfies TableSpec;

export const tables: readonly TableSpec[] = [
  jobsTable,
  hostsTable,
  intakesTable,
  fleetTable,
  choresTable,
  keysTable,
  deliveriesTable,
  webhookSecretsTable,
  ownersTable,
  usageTable,
  assetsTable,
  ledgersTable,
];

/** The schema version of every item, for a release that reads what an older one wrote. */
export const SCHEMA_VERSION = 1;
