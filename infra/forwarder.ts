// The forwarder: runs in the hosts' network when jobs begin to wait. It reads jobs and sends offers; it writes nothing.

import { Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { ForwarderLambdaEnvironment } from '../functions/config/forwarder.ts';
import { type FailedRecords, onWaitingJobs } from './waiting-jobs-stream.ts';
import { namespaceOf } from './names.ts';
import type { Network } from './network.ts';
import { Service } from './service.ts';
import type { Settings } from './settings.ts';
import type { Tables } from './tables.ts';

export class Forwarder extends Construct {
  readonly service: Service;

  constructor(
    scope: Construct,
    id: string,
    props: { settings: Settings; tables: Tables; network: Network; failed: FailedRecords; bundle: string },
  ) {
    super(scope, id);
    const { settings, tables, failed } = props;
    this.service = new Service(this, 'Service', {
      settings,
      service: 'forwarder',
      bundle: props.bundle,
      memoryMiB: 512,
      timeout: Duration.seconds(20),
      network: props.network,
      environment: (role): ForwarderLambdaEnvironment => ({
        ...tables.allow(role, {
          jobs: { items: ['BatchGetItem'], indexes: ['byWork'] },
          hosts: { items: ['Scan'] },
          // The number of shards of the queue.
          fleet: { items: ['GetItem'] },
          intakes: { items: ['GetItem'] },
        }),
        METRICS_NAMESPACE: namespaceOf(settings.name),
      }),
    });
    onWaitingJobs(this.service, { tables, failed, batchSize: 100 });
  }
}
