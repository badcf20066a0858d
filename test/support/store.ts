// A real embedded DynamoDB in this process, in memory, with our tables.

import dynalite from 'dynalite';
import type { AddressInfo } from 'node:net';
import { createStoreClient, type StoreClient } from '../../functions/store/client.ts';
import { createTables } from '../../functions/store/create-tables.ts';
import { createHosts, type Hosts } from '../../functions/store/hosts.ts';
import { createJobs, type Jobs } from '../../functions/store/jobs.ts';

export const CREDENTIALS = { accessKeyId: 'test', secretAccessKey: 'test-secret' };
export const REGION = 'local';

export interface TestStore {
  url: string;
  client: StoreClient;
  jobs: Jobs;
  hosts: Hosts;
  now(): number;
  close(): Promise<void>;
}

export async function startStore(): Promise<TestStore> {
  const server = dynalite({ createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = createStoreClient({ endpoint: url, region: REGION, credentials: CREDENTIALS });
  await createTables(client, '');
  return {
    url,
    client,
    jobs: createJobs(client, ''),
    hosts: createHosts(client, ''),
    now: () => client.clock.now(),
    close: () =>
      new Promise((resolve) => {
        client.raw.destroy();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
