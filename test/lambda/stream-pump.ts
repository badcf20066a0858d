// What AWS does between a table's stream and a function: reads the stream, keeps what the filter names, hands it over in
// batches, and again from the record that the function says has failed. Only what the filter of infra/waiting-jobs-stream.ts
// says: jobs that wait.

import { setTimeout as sleep } from 'node:timers/promises';
import { DescribeTableCommand, UpdateTableCommand } from '@aws-sdk/client-dynamodb';
import type { BatchAnswer } from '../../functions/runtime/stream.ts';
import type { StoreClient } from '../../functions/store/dynamodb/client.ts';
import { jobsTable } from '../../functions/store/tables.ts';
import type { Runtime } from './runtime-api.ts';
import type { StreamRecord } from './waiting-job.ts';

export interface Pump {
  /** Rejects when a function or the stream does something that AWS would have to report. */
  ended: Promise<void>;
  /** How often a batch was handed over again. */
  repeated(): number;
  stop(): Promise<void>;
}

/** AWS asks four times a second. */
const PERIOD = 250;
const BATCH = 100;

/** As infra has it: the table's stream with new images. @returns its ARN */
export async function openStream({ raw }: StoreClient, prefix: string): Promise<string> {
  const TableName = prefix + jobsTable.name;
  await raw.send(
    new UpdateTableCommand({
      TableName,
      StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_IMAGE' },
    }),
  );
  const { Table } = await raw.send(new DescribeTableCommand({ TableName }));
  return Table!.LatestStreamArn!;
}

/** @param url of DynamoDB Local, which looks at no signature but at the access key */
export function startPump(url: string, accessKey: string, arn: string, runtime: Runtime): Pump {
  let stopped = false;
  let repeated = 0;

  async function ask<Result>(action: string, body: object): Promise<Result> {
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-amz-json-1.0',
        'x-amz-target': `DynamoDBStreams_20120810.${action}`,
        'x-amz-date': '20261123T110000Z',
        authorization: `AWS4-HMAC-SHA256 Credential=${accessKey}/20261123/local/dynamodb/aws4_request, SignedHeaders=host, Signature=0`,
      },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${action}: ${response.status} ${await response.text()}`);
    return (await response.json()) as Result;
  }

  async function deliver(records: StreamRecord[]): Promise<void> {
    for (let left = records; left.length > 0 && !stopped;) {
      const batch = left.slice(0, BATCH);
      const answer = await runtime.invoke({
        Records: batch.map((record) => ({ ...record, eventSourceARN: arn })),
      });
      if (answer.kind !== 'value') throw new Error(`No batch answer: ${JSON.stringify(answer)}`);
      const [failed] = (answer.value as BatchAnswer).batchItemFailures;
      const from = failed
        ? batch.findIndex((record) => sequenceOf(record) === failed.itemIdentifier)
        : batch.length;
      if (from < 0) throw new Error(`No such record in the batch: ${failed?.itemIdentifier}`);
      if (failed) repeated += 1;
      left = left.slice(from);
    }
  }

  async function run(): Promise<void> {
    const iterators = new Map<string, string | undefined>();
    while (!stopped) {
      const { StreamDescription } = await ask<Description>('DescribeStream', { StreamArn: arn });
      for (const { ShardId } of StreamDescription.Shards) {
        if (iterators.has(ShardId)) continue;
        const from = { StreamArn: arn, ShardId, ShardIteratorType: 'TRIM_HORIZON' };
        iterators.set(ShardId, (await ask<Iterator>('GetShardIterator', from)).ShardIterator);
      }
      for (const [shard, ShardIterator] of iterators) {
        if (ShardIterator === undefined) continue;
        const page = await ask<Page>('GetRecords', { ShardIterator });
        iterators.set(shard, page.NextShardIterator);
        await deliver(page.Records.filter(isWaiting));
      }
      await sleep(PERIOD);
    }
  }

  const ended = run();
  ended.catch(() => undefined);
  return {
    ended,
    repeated: () => repeated,
    async stop() {
      stopped = true;
      await ended;
    },
  };
}

interface Description {
  StreamDescription: { Shards: { ShardId: string }[] };
}
interface Iterator {
  ShardIterator: string;
}
interface Page {
  Records: StreamRecord[];
  NextShardIterator?: string;
}

const sequenceOf = (record: StreamRecord) => record.dynamodb?.SequenceNumber;

function isWaiting({ dynamodb }: StreamRecord): boolean {
  return dynamodb?.NewImage?.['part']?.S === 'state' && dynamodb.NewImage['work']?.S === 'waiting';
}
