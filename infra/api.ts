// The api: a function behind a Function URL that streams its responses. The URL is public, because CloudFront could only
// sign requests whose clients hash their bodies; the function refuses requests without the origin secret, if one is set.

import { Duration, Fn } from 'aws-cdk-lib';
import { type FunctionUrl, FunctionUrlAuthType, InvokeMode } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { type ApiLambdaEnvironment, NO_SECRET } from '../functions/config/api-lambda.ts';
import type { ImagesBucket } from './buckets.ts';
import { namespaceOf } from './names.ts';
import { Service } from './service.ts';
import { GeneratedSecret } from './secrets.ts';
import type { Settings } from './settings.ts';
import type { Tables } from './tables.ts';

/** CloudFront waits equally long for the first byte: see endpoint.ts. */
export const API_TIMEOUT = Duration.seconds(60);

export class Api extends Construct {
  readonly service: Service;
  readonly url: FunctionUrl;
  /** The URL without its last slash, and its host name. */
  readonly address: string;
  readonly hostName: string;
  readonly key: GeneratedSecret;

  constructor(
    scope: Construct,
    id: string,
    props: {
      settings: Settings;
      tables: Tables;
      images: ImagesBucket;
      bundle: string;
      /** Requests without it are refused. Undefined: callers use the Function URL directly. */
      originSecret: GeneratedSecret | undefined;
    },
  ) {
    super(scope, id);
    const { settings, originSecret } = props;
    this.key = new GeneratedSecret(this, 'Key', {
      description: 'The key that callers of the API send',
      settings,
    });
    this.service = new Service(this, 'Service', {
      settings,
      service: 'api',
      bundle: props.bundle,
      memoryMiB: 1024,
      timeout: API_TIMEOUT,
      reservedConcurrency: settings.apiReservedConcurrency,
      environment: (role): ApiLambdaEnvironment => ({
        ...props.tables.allow(role, {
          jobs: {
            items: ['GetItem', 'BatchGetItem', 'PutItem', 'UpdateItem', 'DeleteItem'],
            indexes: ['byWork', 'byOwner', 'byList'],
          },
          hosts: { items: ['Scan'] },
          fleet: { items: ['GetItem'] },
          // Listed, made and revoked by a caller with the scope admin.
          keys: { items: ['GetItem', 'Scan', 'PutItem', 'UpdateItem'] },
          chores: { items: ['PutItem', 'DeleteItem'] },
          owners: { items: ['GetItem', 'BatchGetItem', 'UpdateItem'] },
          usage: { items: ['GetItem', 'BatchGetItem', 'UpdateItem'] },
          deliveries: {
            items: ['GetItem', 'BatchGetItem', 'UpdateItem'],
            indexes: ['byOwner', 'byDue', 'byType'],
          },
          // What it cancels is counted in one of its own.
          ledgers: { items: ['BatchGetItem', 'PutItem'], indexes: ['byHour'] },
          assets: { items: ['GetItem', 'PutItem', 'UpdateItem', 'DeleteItem'] },
          'webhook-secrets': { items: ['GetItem', 'PutItem'] },
        }),
        ...props.images.allow(role, {
          GetObject: ['images', 'derived', 'uploads', 'graphs', 'inventories'],
          PutObject: ['uploads', 'graphs', 'derived'],
          DeleteObject: ['images', 'derived', 'uploads', 'graphs'],
        }),
        METRICS_NAMESPACE: namespaceOf(settings.name),
        WORKFLOWS_PATH: '/var/task/workflows',
        ALLOWED_ORIGINS: settings.allowedOrigins,
        KEEP_DAYS: String(settings.imageDays),
        MAX_WAITING: String(settings.maxWaiting),
        OPEN_CONNECTIONS: String(settings.openConnections),
        COMFYUI_API_POLLED: String(settings.comfyuiApi),
        RUNPOD_OUTPUT: settings.runpodOutput,
        RATE_PER_MINUTE: String(settings.ratePerMinute),
        READS_PER_MINUTE: String(settings.readsPerMinute),
        OWNER_MAX_WAITING: String(settings.ownerMaxWaiting),
        ...(settings.imagesPerDay !== undefined && { IMAGES_PER_DAY: String(settings.imagesPerDay) }),
        ...(settings.usdPerMonth !== undefined && { USD_PER_MONTH: String(settings.usdPerMonth) }),
        OWNER_UPLOAD_MB: String(settings.ownerUploadMb),
        ORIGIN_SECRET: originSecret?.value ?? NO_SECRET,
        ORIGIN_SECRET_PREVIOUS: originSecret?.previousValue,
        API_KEY: this.key.value,
        API_KEY_PREVIOUS: this.key.previousValue,
      }),
    });
    this.url = this.service.lambda.addFunctionUrl({
      authType: FunctionUrlAuthType.NONE,
      invokeMode: InvokeMode.RESPONSE_STREAM,
    });
    this.hostName = Fn.select(2, Fn.split('/', this.url.url));
    this.address = `https://${this.hostName}`;
  }
}
