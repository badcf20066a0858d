// The tables and the bucket behind the settings that every process shares. Only entry points call it.

import type { StorageSettings } from '../config/storage.ts';
import { IMAGE_READERS } from '../core/limits.ts';
import { TIMINGS, type Timings } from '../core/timings.ts';
import type { Images } from '../images/images.ts';
import type { Presigner } from '../images/links.ts';
import { createLateS3Images } from '../images/s3/late.ts';
import { createPresigner } from '../images/s3/presign.ts';
import type { Log } from '../log.ts';
import { jumpInWords } from './clock-jump.ts';
import { createStoreClient, engineOf, type StoreClient } from '../store/dynamodb/client.ts';
import { openTables, type Tables } from '../store/open.ts';

export interface Storage {
  region: string;
  /** Absent on AWS. */
  dynamodbEndpoint?: string | undefined;
  s3Endpoint?: string | undefined;
  tablePrefix: string;
  bucket: string;
  /** Absent: as the SDK finds them. */
  credentials?: { accessKeyId: string; secretAccessKey: string } | undefined;
  timings?: Timings | undefined;
}

/** From the settings that every process that runs alone has. */
export function storageOf(settings: StorageSettings): Storage {
  return {
    region: settings.AWS_REGION,
    dynamodbEndpoint: settings.AWS_ENDPOINT_URL_DYNAMODB,
    s3Endpoint: settings.AWS_ENDPOINT_URL_S3,
    tablePrefix: settings.TABLE_PREFIX,
    bucket: settings.IMAGES_BUCKET,
    timings: settings.TEST_TIMINGS,
  };
}

export interface Connected extends Tables {
  images: Images;
  /** For callers, over connections of their own: they read as slowly as they like. */
  servedImages: Pick<Images, 'get'>;
  presigner: Presigner;
  timings: Timings;
  /** The tables' clock, ms. */
  now(): number;
}

/** @param log gets an event when the tables' clock jumps; @param local as createStoreClient has it */
export function connect(
  { region, credentials, tablePrefix, bucket, timings = TIMINGS, ...storage }: Storage,
  { log, local }: { log?: Log; local?: () => number } = {},
): Connected & { store: StoreClient } {
  const endpoint = storage.dynamodbEndpoint;
  const store = createStoreClient({ endpoint, region, credentials, timings }, local);
  if (log) store.clock.onJump((by) => log.warn('clock.jumped', { ms: by, reason: jumpInWords(by) }));
  // The store's client has already asked the environment where they are.
  const found = store.raw.config.credentials;
  const s3 = { endpoint: storage.s3Endpoint, region, credentials: found, timings };
  return {
    store,
    ...openTables(engineOf(store, tablePrefix)),
    images: createLateS3Images(bucket, s3),
    servedImages: createLateS3Images(bucket, { ...s3, sockets: IMAGE_READERS }),
    presigner: createPresigner({ credentials: found, region, bucket }),
    timings,
    now: () => store.clock.now(),
  };
}
