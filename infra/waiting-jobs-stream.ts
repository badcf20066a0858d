// The stream of jobs, for those who act when a job begins to wait: the filter, and how often a batch is tried again.
// A batch that fails for good lies in a queue that an alarm watches; no record holds up the shard behind it.

import { Duration, Validations } from 'aws-cdk-lib';
import { EventSourceMapping, FilterCriteria, FilterRule, StartingPosition } from 'aws-cdk-lib/aws-lambda';
import { SqsDlq } from 'aws-cdk-lib/aws-lambda-event-sources';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { Service } from './service.ts';
import type { Tables } from './tables.ts';

/** Only the state of a job says `work`, and only while it has not ended; which key it waits under is all the same here. */
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
      reason: 'It is itself where failed records end; nobody takes from it but a person.',
    });
  }
}

/** Calls the service for jobs that began to wait. */
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
    /** So long, for one call instead of many. */
    gather?: Duration;
  },
): void {
  tables.allowStream(service.role);
  // Made after the role's policy: Lambda asks for the permission to read when the mapping is made.
  new EventSourceMapping(service, 'JobsThatWait', {
    target: service.lambda,
    eventSourceArn: tables.jobStream,
    // Whoever already waits when this is deployed is found by the hosts and by the controller's next round.
    startingPosition: StartingPosition.LATEST,
    filters: [FilterCriteria.filter(isWaiting)],
    batchSize,
    maxBatchingWindow: gather,
    // Of a new account's ten environments a stream takes one a shard, four of a new table: no more, or none is left for
    // callers. A most of its own has a mapping of SQS alone, and a reservation only an account with more than a hundred.
    parallelizationFactor: 1,
    reportBatchItemFailures: true,
    bisectBatchOnError: true,
    retryAttempts: 3,
    // A host with a free slot looks for itself every second: an older offer is worth nothing.
    maxRecordAge: Duration.minutes(2),
    onFailure: new SqsDlq(failed.queue),
  });
}
