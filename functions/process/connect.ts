// The tables and the bucket behind the settings that every process shares. Only entry points call it.

import type { PlacesSettings } from '../config.ts';
import { createS3Client } from '../images/client.ts';
import { createImages, type Images } from '../images/images.ts';
import { createPresigner, type Presigner } from '../images/presign.ts';
import { createStoreClient, type StoreClient } from '../store/client.ts';
import { openTables, type Tables } from '../store/open.ts';

export interface Places {
  region: string;
  /** Absent on AWS. */
  dynamodbEndpoint?: string | undefined;
  s3Endpoint?: string | undefined;
  tablePrefix: string;
  bucket: string;
  /** What the embedded tables of this very arrangement ask for. */
  tablesToken?: string;
  /** Absent: as the SDK finds them. */
  credentials?: { accessKeyId: string; secretAccessKey: string } | undefined;
}

/** From the settings that every process that runs alone has. */
export function placesOf(settings: PlacesSettings): Places {
  return {
    region: settings.AWS_REGION,
    dynamodbEndpoint: settings.AWS_ENDPOINT_URL_DYNAMODB,
    s3Endpoint: settings.AWS_ENDPOINT_URL_S3,
    tablePrefix: settings.TABLE_PREFIX,
    bucket: settings.IMAGES_BUCKET,
  };
}

export interface Connected extends Tables {
  store: StoreClient;
  images: Images;
  presigner: Presigner;
  /** The tables' clock, ms. */
  now(): number;
}

export function connect({ region, credentials, tablePrefix, bucket, ...places }: Places): Connected {
  const store = createStoreClient({
    endpoint: places.dynamodbEndpoint,
    region,
    credentials,
    token: places.tablesToken,
  });
  const s3 = createS3Client({ endpoint: places.s3Endpoint, region, credentials });
  return {
    store,
    ...openTables(store, tablePrefix),
    images: createImages({ client: s3, bucket }),
    // The client has already asked the environment where the credentials are.
    presigner: createPresigner({ credentials: s3.config.credentials, region, bucket }),
    now: () => store.clock.now(),
  };
}
