// The tables for one file of tests: on the engine of the tier (vitest.config.ts), or on the one that a test asks for. The
// embedded engine has a folder of its own; DynamoDB's is a dynalite in this process, or Amazon's own DynamoDB Local, where the
// run was given one (dynamodb-local.ts).

import { DeleteTableCommand, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inject } from 'vitest';
import { TIMINGS } from '../../functions/core/timings.ts';
import { createDynalite } from './dynalite/mended-dynalite.ts';
import { createStoreClient, engineOf, type StoreClient } from '../../functions/store/dynamodb/client.ts';
import { createTables } from '../../functions/store/dynamodb/create-tables.ts';
import { type EmbeddedEngine, openEmbedded } from '../../functions/store/embedded/engine.ts';
import type { Engine } from '../../functions/store/engine.ts';
import { openTables, type Tables } from '../../functions/store/open.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Of the tier: what startStore() opens. */
    engine: 'embedded' | 'dynamodb';
  }
}

/** A process has its own access key: DynamoDB Local serves several processes, and keeps them apart by it. */
export const CREDENTIALS = { accessKeyId: `test${process.pid}`, secretAccessKey: 'test-secret' };
export const REGION = 'local';

export interface TestStore extends Tables {
  /** For a table as it is. */
  engine: Engine;
  now(): number;
  close(): Promise<void>;
}

export interface EmbeddedStore extends TestStore {
  engine: EmbeddedEngine;
  /** Of the file. */
  directory: string;
}

/** For what another process, or a test of its own, reaches by DynamoDB's wire. */
export interface DynamoStore extends TestStore {
  url: string;
  client: StoreClient;
}

export const startStore = (timings = TIMINGS): Promise<TestStore> =>
  inject('engine') === 'embedded' ? startEmbedded(timings) : startDynamo(timings);

export async function startEmbedded(timings = TIMINGS): Promise<EmbeddedStore> {
  const directory = await mkdtemp(join(tmpdir(), 'tables-'));
  const engine = openEmbedded({ directory, timings });
  return {
    engine,
    directory,
    ...openTables(engine),
    now: () => engine.clock.now(),
    async close() {
      await engine.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

export async function startDynamo(timings = TIMINGS): Promise<DynamoStore> {
  const dynamodbUrl = inject('dynamodbUrl');
  const { url, close } = await (dynamodbUrl ? openLocal(dynamodbUrl) : startDynalite());
  const client = createStoreClient({ endpoint: url, region: REGION, credentials: CREDENTIALS, timings });
  await createTables(client, '');
  const engine = engineOf(client, '');
  return {
    url,
    client,
    engine,
    ...openTables(engine),
    now: () => client.clock.now(),
    async close() {
      await close(client);
      client.raw.destroy();
    },
  };
}

/** The tables as a process sees them whose clock is off. @param now ms */
export const openAt = ({ engine }: TestStore, now: () => number): Tables =>
  openTables({ ...engine, clock: { ...engine.clock, now } });

interface Server {
  url: string;
  close(client: StoreClient): Promise<void>;
}

async function startDynalite(): Promise<Server> {
  const server = createDynalite();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

let open = false;

/** It serves the stores of this process one after the other: each finds it empty, and leaves it so. */
async function openLocal(url: string): Promise<Server> {
  if (open) throw new Error('The store before this one was not closed: they would share their tables');
  open = true;
  return {
    url,
    async close({ raw }) {
      const { TableNames = [] } = await raw.send(new ListTablesCommand({}));
      for (const TableName of TableNames) await raw.send(new DeleteTableCommand({ TableName }));
      open = false;
    },
  };
}
