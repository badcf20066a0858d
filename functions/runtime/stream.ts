// A batch of a DynamoDB stream as a Lambda gets it. Records only say that there is something to look at: one look for
// a batch, and a record that cannot be read is skipped, so that it never holds up its shard.
// Source: "Using Lambda with DynamoDB Streams: Reporting batch item failures" in AWS Lambda's guide.

import { AppError } from '../core/errors.ts';
import type { Log } from '../log.ts';

/** Lambda sends the records again from the one that is named; nothing named: all is done. */
export interface BatchAnswer {
  batchItemFailures: { itemIdentifier: string }[];
}

/** A job that began to wait. */
export interface WaitingRecord {
  sequenceNumber: string;
  jobId: string;
  attempt: number;
  /** Milliseconds, the tables' clock. */
  createdAt: number;
}

export interface StreamDeps {
  log: Log;
  /** The newest schema version of an item that this release reads. */
  version: number;
  /** Until Lambda ends the invocation, ms. */
  timeLeft: number;
  skipped(count: number): void;
  /** One look, whatever number of records. Throws when the tables do not answer. */
  poll(records: WaitingRecord[]): Promise<void>;
}

/** Enough to answer before Lambda ends the invocation, ms. */
const ANSWER_TAKES = 500;
const NOTHING_FAILED: BatchAnswer = { batchItemFailures: [] };

/** @throws AppError bad_event for what is no batch of a stream */
export async function answerBatch(event: unknown, deps: StreamDeps): Promise<BatchAnswer> {
  const { log, version, timeLeft } = deps;
  const records = recordsOf(event);
  const read = records.map((record) => waitingRecord(record, version));
  const unreadable = records.filter((_, index) => !read[index]);
  for (const record of unreadable) log.warn('record.skipped', { sequenceNumber: sequenceOf(record) ?? null });
  if (unreadable.length > 0) deps.skipped(unreadable.length);

  const readable = read.filter((record) => record !== undefined);
  const [first] = readable;
  if (!first) return NOTHING_FAILED;
  try {
    await within(timeLeft - ANSWER_TAKES, deps.poll(readable));
    return NOTHING_FAILED;
  } catch (error) {
    log.error('batch.failed', error, { sequenceNumber: first.sequenceNumber });
    return { batchItemFailures: [{ itemIdentifier: first.sequenceNumber }] };
  }
}

interface Attributes {
  [name: string]: { S?: string; N?: string } | undefined;
}
interface Entry {
  eventSource?: unknown;
  dynamodb?: { SequenceNumber?: unknown; NewImage?: Attributes } | null;
}

function recordsOf(event: unknown): (Entry | null)[] {
  const { Records } = (event ?? {}) as { Records?: unknown };
  const records = Array.isArray(Records) ? (Records as (Entry | null)[]) : undefined;
  const foreign = records?.find((record) => (record?.eventSource ?? 'aws:dynamodb') !== 'aws:dynamodb');
  if (!records || foreign)
    throw new AppError(
      'bad_event',
      `This handler takes batches of a DynamoDB stream, not ${describeEvent(event)}; see what invokes it`,
    );
  return records;
}

/** For a sentence about an event that came to the wrong handler; never its contents. */
export function describeEvent(event: unknown): string {
  const { source, Records, requestContext } = (event ?? {}) as {
    source?: unknown;
    Records?: unknown;
    requestContext?: unknown;
  };
  if (typeof source === 'string') return `an event of ${source}`;
  const [record] = Array.isArray(Records) ? (Records as (Entry | null)[]) : [];
  if (typeof record?.eventSource === 'string') return `records of ${record.eventSource}`;
  if (Array.isArray(Records)) return 'a batch of records';
  return requestContext === undefined ? 'an event of another kind' : 'an HTTP request';
}

function sequenceOf(record: Entry | null): string | undefined {
  const sequence = record?.dynamodb?.SequenceNumber;
  return typeof sequence === 'string' && sequence !== '' ? sequence : undefined;
}

function waitingRecord(record: Entry | null, version: number): WaitingRecord | undefined {
  const sequenceNumber = sequenceOf(record);
  const image = record?.dynamodb?.NewImage;
  const numberOf = (name: string) => Number(image?.[name]?.N ?? Number.NaN);
  const jobId = image?.['jobId']?.S;
  if (sequenceNumber === undefined || jobId === undefined || !(numberOf('v') <= version)) return undefined;
  return { sequenceNumber, jobId, attempt: numberOf('attempt'), createdAt: numberOf('createdAt') };
}

/** A table that is silent is not waited for until Lambda ends us: then nothing would be said about it. */
async function within(ms: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`Not done within ${ms} ms`)), ms);
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
