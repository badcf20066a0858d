// The tables: names, keys and indexes. infra deploys them and local mode creates them from this one description.
// No overloaded keys: a table per thing. Source: docs/architecture.md, "Tables".

export interface TableSpec {
  /** Prefixed by the stage's name where it is created. */
  name: string;
  partitionKey: string;
  sortKey?: string;
  /** All indexes are KEYS_ONLY and sparse. */
  indexes: { name: string; partitionKey: string; sortKey: string }[];
  /** Keys that are numbers; every other is a string. */
  numbers?: readonly string[];
  /** The attribute with the second of expiry. */
  ttl: string;
}

export const jobsTable = {
  name: 'jobs',
  partitionKey: 'jobId',
  sortKey: 'part',
  indexes: [
    { name: 'byWork', partitionKey: 'work', sortKey: 'workOrder' },
    // What lists show: jobs that ran to an end.
    { name: 'byList', partitionKey: 'owner', sortKey: 'listOrder' },
    // The outbox: a job is in it from the very write that ends it, whichever that is.
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

/** What offers to a host are signed with. Hosts list the hosts' table, so it does not stand there. */
export const intakesTable = {
  name: 'intakes',
  partitionKey: 'hostId',
  indexes: [],
  ttl: 'expiresAt',
} as const satisfies TableSpec;

/** One item: what the controller remembers of the GPU hosts. */
export const fleetTable = {
  name: 'fleet',
  partitionKey: 'fleetId',
  indexes: [],
  ttl: 'expiresAt',
} as const satisfies TableSpec;

/** What the api has begun and the controller finishes. */
export const choresTable = {
  name: 'chores',
  partitionKey: 'choreId',
  indexes: [],
  ttl: 'expiresAt',
} as const satisfies TableSpec;

export const keysTable = {
  name: 'keys',
  partitionKey: 'keyId',
  indexes: [],
  ttl: 'expiresAt',
} as const satisfies TableSpec;

/** What is to be told to a webhook, and was. */
export const deliveriesTable = {
  name: 'deliveries',
  partitionKey: 'deliveryId',
  indexes: [
    { name: 'byDue', partitionKey: 'due', sortKey: 'dueOrder' },
    { name: 'byOwner', partitionKey: 'owner', sortKey: 'ownerOrder' },
  ],
  ttl: 'expiresAt',
} as const satisfies TableSpec;

/** What an owner's webhooks are signed with. */
export const webhookSecretsTable = {
  name: 'webhook-secrets',
  partitionKey: 'owner',
  indexes: [],
  ttl: 'expiresAt',
} as const satisfies TableSpec;

/** An owner's limits, its bucket of requests and its last turn. */
export const ownersTable = {
  name: 'owners',
  partitionKey: 'owner',
  indexes: [],
  ttl: 'expiresAt',
} as const satisfies TableSpec;

/** A day of an owner: what it has used. In the index while a job of it is not settled. */
export const usageTable = {
  name: 'usage',
  partitionKey: 'owner',
  sortKey: 'day',
  indexes: [{ name: 'byOpen', partitionKey: 'open', sortKey: 'day' }],
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
];

/** The schema version of every item, for those who read what an older release wrote. */
export const SCHEMA_VERSION = 1;
