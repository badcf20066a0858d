// Parts of the product in this process, over an embedded DynamoDB on disk in a process of its own: for measurements of single
// parts. Those of the whole use the real processes (subjects.ts).

import { join } from 'node:path';
import type { ApiApp } from '../../functions/api/deps.ts';
import recordedNodes from '../../functions/comfyui/recorded-object-info.json' with { type: 'json' };
import { createS3Client } from '../../functions/images/s3/client.ts';
import type { Images } from '../../functions/images/images.ts';
import { createS3Images } from '../../functions/images/s3/images.ts';
import { createPresigner } from '../../functions/images/s3/presign.ts';
import { startChild } from '../../functions/local/child.ts';
import { startEmbeddedS3 } from '../support/embedded-s3/server.ts';
import { programOf } from '../../functions/local/programs.ts';
import { createStoreClient, engineOf, type StoreClient } from '../../functions/store/dynamodb/client.ts';
import { createTables } from '../../functions/store/dynamodb/create-tables.ts';
import { openTables, type Tables } from '../../functions/store/open.ts';
import { loadTemplates } from '../../functions/runtime/workflows.ts';
import { appWith, SETTINGS } from '../support/app.ts';
import { log, withFolder } from './subjects.ts';

const REGION = 'local';
const credentials = { accessKeyId: 'bench', secretAccessKey: 'bench-secret' };

export interface Rig {
  images: Images;
  /** Another client of the same tables. */
  connect(): Store;
  /** The API over a client of its own. */
  api(store: Store, nudge?: () => void): Promise<ApiApp>;
}

export interface Store extends Tables {
  client: StoreClient;
  now(): number;
}

export function withRig<T>(work: (rig: Rig) => Promise<T>): Promise<T> {
  return withFolder(async (directory) => {
    const dynamodb = await startChild<{ port: number }>(
      'the embedded DynamoDB',
      programOf('dynamodb'),
      { ...process.env, DIRECTORY: join(directory, 'dynamodb') },
      log,
      () => ({}),
    );
    const s3 = await startEmbeddedS3({
      directory: join(directory, 's3'),
      buckets: ['images'],
      credentials,
      region: REGION,
    });
    const s3Client = createS3Client({ endpoint: s3.url, region: REGION, credentials });
    const images = createS3Images({ client: s3Client, bucket: 'images' });
    const connect = (): Store => {
      const endpoint = `http://127.0.0.1:${dynamodb.ready.port}`;
      const client = createStoreClient({ endpoint, region: REGION, credentials });
      const now = () => client.clock.now();
      return { client, ...openTables(engineOf(client, '')), now };
    };
    await createTables(connect().client, '');
    try {
      return await work({
        images,
        connect,
        api: async (store, nudge = () => undefined) =>
          appWith({
            ...store,
            images,
            presigner: createPresigner({ credentials, region: REGION, bucket: 'images' }),
            workflows: { templates: await loadTemplates(), refused: [] },
            log,
            nudge,
            recorded: { nodes: recordedNodes, models: {} },
            settings: { ...SETTINGS, maxWaiting: 100_000 },
          }),
      });
    } finally {
      s3Client.destroy();
      await s3.close();
      await dynamodb.stop();
    }
  });
}
