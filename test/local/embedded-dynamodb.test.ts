// The embedded DynamoDB is killed in the middle of writes: its indexes show what its table holds, no more and no less.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { ScanCommand } from '@aws-sdk/lib-dynamodb';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { cancel, claim, type JobState } from '../../functions/core/job.ts';
import { jobIdFrom, ownerOrder, workOrder } from '../../functions/core/names.ts';
import { type Child, startChild } from '../../functions/local/child.ts';
import { programOf } from '../../functions/local/programs.ts';
import { createLog } from '../../functions/log.ts';
import { connect, type Connected } from '../../functions/runtime/connect.ts';
import { createTables } from '../../functions/store/dynamodb/create-tables.ts';
import { build } from '../support/program.ts';

const KILLS = 6;
let directory: string;
let child: Child<{ port: number }>;
let tables: Connected;
beforeAll(() => build());
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'dynamodb-'));
  child = await startChild(
    'the embedded DynamoDB',
    programOf('dynamodb'),
    { ...process.env, DIRECTORY: join(directory, 'db'), TOKEN: 'token' },
    createLog('test', 'error'),
    ({ port }) => ({ PORT: String(port) }),
  );
  tables = connect({
    region: 'local',
    dynamodbEndpoint: `http://127.0.0.1:${child.ready.port}`,
    s3Endpoint: 'http://127.0.0.1:9',
    tablePrefix: '',
    bucket: 'images',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    tablesToken: 'token',
  });
  await createTables(tables.store, '');
});
afterEach(async () => {
  await child.stop();
  await rm(directory, { recursive: true, force: true, maxRetries: 10 });
});

test('whoever has not its token gets nothing, and no browser does', async () => {
  const url = `http://127.0.0.1:${child.ready.port}`;
  const credential = (token: string) =>
    `AWS4-HMAC-SHA256 Credential=${token}/20260101/local/dynamodb/aws4_request, SignedHeaders=host, Signature=0`;
  const list = async (headers: Record<string, string>) => {
    const target = {
      'x-amz-target': 'DynamoDB_20120810.ListTables',
      'content-type': 'application/x-amz-json-1.0',
    };
    const response = await fetch(url, {
      method: 'POST',
      body: '{}',
      headers: { ...target, 'x-amz-date': '20260101T000000Z', ...headers },
    });
    return [response.status, response.headers.get('access-control-allow-origin')];
  };
  expect(await list({ authorization: credential('token') })).toEqual([200, null]);
  expect(await list({ authorization: credential('local') })).toEqual([403, null]);
  expect(await list({})).toEqual([403, null]);
  const origin = 'http://127.0.0.1:3000';
  expect(await list({ authorization: credential('token'), origin })).toEqual([403, null]);
  const byName = await fetch(url.replace('127.0.0.1', 'localhost'), { method: 'POST', body: '{}' }).catch(
    () => undefined,
  );
  expect(byName?.status ?? 403).toBe(403);
});

/** Jobs that are accepted, claimed and cancelled as fast as they can be, until `stop`. */
async function churn(until: () => boolean): Promise<void> {
  let sequence = 0;
  while (!until()) {
    const jobId = jobIdFrom({ random: randomBytes(16) });
    const now = Date.now();
    sequence += 1;
    const state: JobState = {
      jobId,
      owner: 'local',
      status: 'queued',
      attempt: 0,
      lostAttempts: 0,
      work: 'waiting',
      workOrder: workOrder(now, sequence, jobId, 'local'),
      ownerOrder: ownerOrder(now, jobId),
      createdAt: now,
      progress: 0,
      currentStep: 0,
      totalSteps: 0,
    };
    try {
      await tables.jobs.putState(state, now / 1000 + 3600);
      await tables.jobs.write(jobId, claim(state, 'host', now, false));
      if (sequence % 2 === 0) await tables.jobs.write(jobId, cancel(now));
    } catch {
      // Killed under way: what became of this one is for the comparison to find.
    }
  }
}

async function differences(): Promise<string[]> {
  const items: JobState[] = [];
  let start: Record<string, unknown> | undefined;
  do {
    const page = await tables.store.documents.send(
      new ScanCommand({ TableName: 'jobs', ConsistentRead: true, ExclusiveStartKey: start }),
    );
    items.push(...((page.Items ?? []) as JobState[]));
    start = page.LastEvaluatedKey;
  } while (start);
  const listed = async (work: 'waiting' | 'held') =>
    new Set(
      (await tables.jobs.listWork(work, 100_000)).map(
        ({ jobId, workOrder: turn }) => `${work} ${turn} ${jobId}`,
      ),
    );
  const rows = new Set([...(await listed('waiting')), ...(await listed('held'))]);
  const wanted = new Set(
    items.flatMap(({ jobId, work, workOrder: turn }) => (work ? [`${work} ${turn} ${jobId}`] : [])),
  );
  expect(items.length).toBeGreaterThan(20);
  return [
    ...[...rows].filter((row) => !wanted.has(row)).map((row) => `only in the index: ${row}`),
    ...[...wanted].filter((row) => !rows.has(row)).map((row) => `not in the index: ${row}`),
  ];
}

test('an item and its index rows are written together or not at all', async () => {
  let over = false;
  const churning = Array.from({ length: 16 }, () => churn(() => over));
  for (let kill = 0; kill < KILLS; kill += 1) {
    const before = child.pid()!;
    const writes = Array.from({ length: 4 + kill * 3 }, () => tables.jobs.countWork('held').catch(() => 0));
    await Promise.all(writes);
    process.kill(before, 'SIGKILL');
    await expect.poll(() => child.pid(), { timeout: 10_000 }).not.toBe(before);
    await expect
      .poll(
        () =>
          tables.jobs.countWork('held').then(
            () => true,
            () => false,
          ),
        { timeout: 10_000 },
      )
      .toBe(true);
  }
  over = true;
  await Promise.all(churning);
  expect(await differences()).toEqual([]);
}, 60_000);
