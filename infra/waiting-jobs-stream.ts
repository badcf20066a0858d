// The jobs' stream, for services that act when a job begins to wait: the filter, and the retries of a batch. A batch that
// fails for good goes to a queue that an alarm watches; no record blocks its shard.

import { Duration, Validations } from 'aws-cdk-lib';
import { EventSourceMapping, FilterCriteria, FilterRule, StartingPosition } from 'aws-cdk-lib/aws-lambda';
import { SqsDlq } from 'aws-cdk-lib/aws-lambda-event-sources';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { Service } from './service.ts';
import type { Tables } from './tables.ts';

/** Only a job that has not ended has `work` in its state; the filter ignores the shard that it waits under. */
const isWaiting = {
  dynamodb: {
    NewImage: { part: { S: FilterRule.isEqual('state') }, work: { S: FilterRule.beginsWith('waiting') } },
  },
};

export class FailedRecords extends Construct {
  readonly queue: Queue;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    this.queue = new Queue(this, 'Queue', {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    });
    Validations.of(this.queue).acknowledge({
      id: 'AwsSolutions-SQS3',
      reason: 'It is itself the end of failed records; only a person reads it.',
    });
  }
}

/** Invokes the service for jobs that began to wait. */
export function onWaitingJobs(
  service: Service,
  {
    tables,
    failed,
    batchSize,
    gather = Duration.seconds(0),
  }: {
    tables: Tables;
    failed: FailedRecords;
    batchSize: number;
    /** The batching window, which makes one call of many. */
    gather?: Duration;
  },
): void {
  tables.allowStream(service.role);
  // Created after the role's policy: Lambda checks the permission to read when the mapping is created.
  new EventSourceMapping(service, 'JobsThatWait', {
    target: service.lambda,
    eventSourceArn: tables.jobStream,
    // Jobs that wait before the deployment are found by the hosts and by the controller's next round.
    startingPosition: StartingPosition.LATEST,
    filters: [FilterCriteria.filter(isWaiting)],
    batchSize,
    maxBatchingWindow: gather,
    // A stream takes one environment per shard: four for a new table, of a new account's ten. More would leave none for
    // callers. Only SQS mappings can cap concurrency, and only accounts with a limit above 100 can reserve it.
    parallelizationFactor: 1,
    reportBatchItemFailures: true,
    bisectBatchOnError: true,
    retryAttempts: 3,
    // A host with a free slot polls every second: an older offer is worthless.
    maxRecordAge: Duration.minutes(2),
    onFailure: new SqsDlq(failed.queue),
  });
}
