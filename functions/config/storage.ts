// The addresses of the tables and the bucket, for every separate process.

import * as z from 'zod/mini';
import { log } from './log.ts';
import { setting, type SettingsOf, withSchema } from './setting.ts';
import { noTimings, timings } from './timings.ts';
import { address, addressLike, required, text } from './values.ts';

/** The SDK's own variables, for endpoints other than AWS's. */
export const endpoint = (service: string, like: string) =>
  setting(z.optional(address), addressLike(like), `where ${service} is`, { otherwise: 'AWS’s' });

export const tables = {
  AWS_REGION: setting(
    z._default(text, 'local'),
    'must be a region such as us-east-1',
    'of the tables and the bucket',
  ),
  AWS_ENDPOINT_URL_DYNAMODB: endpoint('DynamoDB', 'http://127.0.0.1:8000'),
  TABLE_PREFIX: setting(
    z._default(text, ''),
    'must be the prefix of the tables that were deployed',
    'what the names of all tables begin with',
  ),
};

export const bucket = {
  AWS_ENDPOINT_URL_S3: endpoint('S3', 'http://127.0.0.1:9000'),
  IMAGES_BUCKET: setting(
    z._default(text, 'images'),
    'must be the name of the bucket that was deployed',
    'where images, uploads and large graphs are kept',
  ),
};

export const storage = { ...tables, ...bucket, ...log, ...timings };
export type StorageSettings = SettingsOf<typeof storage>;

export const metrics = {
  METRICS_NAMESPACE: setting(
    z.optional(text),
    'must be a namespace of CloudWatch',
    'measurements are printed as CloudWatch’s embedded metrics',
    { otherwise: 'none are printed' },
  ),
};

/** On AWS no default applies: the tables and the bucket are always named. */
export const deployedTables = {
  ...tables,
  TABLE_PREFIX: withSchema(tables.TABLE_PREFIX, required),
  ...log,
  ...metrics,
  ...noTimings,
};
export const deployedBucket = { ...bucket, IMAGES_BUCKET: withSchema(bucket.IMAGES_BUCKET, required) };
