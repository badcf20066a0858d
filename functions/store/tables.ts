// The tables: names, keys and indexes. infra deploys them and local mode creates them from this one description.
// No overloaded keys: a table per thing. Source: design/architecture.md, "Tables".

export interface TableSpec {
  /** Prefixed by the stage's name where it is created. */
  name: string;
  partitionKey: string;
  sortKey?: string;
  /** Every key is a string. All indexes are KEYS_ONLY and sparse. */
  indexes: { name: string; partitionKey: string; sortKey: string }[];
  /** The attribute with the second of expiry. */
  ttl: string;
}

export const jobsTable = {
  name: 'jobs',
  partitionKey: 'jobId',
  sortKey: 'part',
  indexes: [
    { name: 'byWork', partitionKey: 'work', sortKey: 'workOrder' },
    { name: 'byOwner', partitionKey: 'owner', sortKey: 'ownerOrder' },
  ],
  ttl: 'expiresAt',
} as const satisfies TableSpec;

export const hostsTable = {
  name: 'hosts',
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

export const tables: readonly TableSpec[] = [jobsTable, hostsTable, fleetTable, choresTable, keysTable];

/** The schema version of every item, for those who read what an older release wrote. */
export const SCHEMA_VERSION = 1;
