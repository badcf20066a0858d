// Webhooks: invoked every minute, outside the hosts' network, because it calls addresses that callers chose. It may read
// ended jobs and their images, and change its own tables; no other internal address is reachable for it.

import { Duration } from 'aws-cdk-lib';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { Construct } from 'constructs';
import type { WebhooksLambdaEnvironment } from '../functions/config/webhooks.ts';
import type { ImagesBucket } from './buckets.ts';
import { namespaceOf } from './names.ts';
import { Service } from './service.ts';
import type { Settings } from './settings.ts';
import type { Tables } from './tables.ts';

export class Webhooks extends Construct {
  readonly service: Service;

  /** @param props `own`: host names of this service, which receive no webhooks */
  constructor(
    scope: Construct,
    id: string,
    props: { settings: Settings; tables: Tables; images: ImagesBucket; own: string[]; bundle: string },
  ) {
    super(scope, id);
    const { settings, tables, images, own } = props;
    this.service = new Service(this, 'Service', {
      settings,
      service: 'webhooks',
      bundle: props.bundle,
      memoryMiB: 256,
      // A round with webhooks uses its whole minute: functions/webhooks/rounds.ts.
      timeout: Duration.seconds(60),
      environment: (role): WebhooksLambdaEnvironment => ({
        ...tables.allow(role, {
          jobs: { items: ['BatchGetItem', 'UpdateItem'], indexes: ['byHook'] },
          deliveries: { items: ['GetItem', 'PutItem', 'UpdateItem'], indexes: ['byDue'] },
          'webhook-secrets': { items: ['GetItem', 'PutItem'] },
          ledgers: { items: ['PutItem'] },
        }),
        ...images.allow(role, { GetObject: ['images'] }),
        METRICS_NAMESPACE: namespaceOf(settings.name),
        OWN_HOSTS: own.join(','),
      }),
    });
    new Rule(this, 'EveryMinute', {
      schedule: Schedule.rate(Duration.minutes(1)),
      // No retry: the next round follows within a minute, and a late one would only overlap it.
      targets: [
        new LambdaFunction(this.service.lambda, { retryAttempts: 0, maxEventAge: Duration.minutes(1) }),
      ],
    });
    this.service.lambda.configureAsyncInvoke({ retryAttempts: 0 });
  }
}
