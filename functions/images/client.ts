// The S3 client: the only place that knows timeouts, connections and path style.
// It reads no environment; without credentials the SDK's own chain finds them.

import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { TIMINGS, type Timings } from '../core/timings.ts';

export interface S3Settings {
  /** Undefined: AWS itself. Otherwise path style, as with the embedded S3. */
  endpoint?: string | undefined;
  region: string;
  credentials?: S3ClientConfig['credentials'] | undefined;
  /** At most; what asks for one more waits. */
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
    // What fails is thrown; the SDK would also print a line for every stream that was refused.
    logger: { trace() {}, debug() {}, info() {}, warn() {}, error() {} },
    requestHandler: {
      connectionTimeout: 10_000,
      socketTimeout: timings.bucketIdleAfter,
      httpAgent: { keepAlive: true, maxSockets: sockets },
      httpsAgent: { keepAlive: true, maxSockets: sockets },
    },
  });
}
