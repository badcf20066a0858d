// The S3 client with its timeouts, connections and path style.
// It reads no environment; without given credentials the SDK's own chain applies.

import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { TIMINGS, type Timings } from '../../core/timings.ts';

export interface S3Settings {
  /** Undefined: AWS. Otherwise path style is used. */
  endpoint?: string | undefined;
  region: string;
  credentials?: S3ClientConfig['credentials'] | undefined;
  /** Connections at most; further requests wait. */
  sockets?: number | undefined;
  timings?: Timings | undefined;
}

export function createS3Client({
  endpoint,
  region,
  credentials,
  sockets = 128,
  timings = TIMINGS,
}: S3Settings): S3Client {
  return new S3Client({
    region,
    ...(endpoint && { endpoint, forcePathStyle: true }),
    ...(credentials && { credentials }),
    maxAttempts: 4,
    // Errors are thrown; the SDK would also print a line for every refused stream.
    logger: { trace() {}, debug() {}, info() {}, warn() {}, error() {} },
    requestHandler: {
      connectionTimeout: 10_000,
      socketTimeout: timings.bucketIdleAfter,
      httpAgent: { keepAlive: true, maxSockets: sockets },
      httpsAgent: { keepAlive: true, maxSockets: sockets },
    },
  });
}
