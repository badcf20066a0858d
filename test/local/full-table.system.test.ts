// The embedded table on a disk that somebody else has filled to the last byte: it can be read, what is there can be
// changed and deleted, what is new is refused; and a LevelDB that fails for it comes back.

import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, open, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { GetCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Child, startChild } from '../../functions/local/child.ts';
import { programOf } from '../../functions/local/programs.ts';
import { createLog } from '../../functions/log.ts';
import { createStoreClient, type StoreClient } from '../../functions/store/dynamodb/client.ts';
import { createTables } from '../../functions/store/dynamodb/create-tables.ts';
import { build } from '../support/program.ts';

const run = promisify(execFile);
const disk = await mkdtemp(join(tmpdir(), 'table-'));
const mounted = await run('mount', ['-t', 'tmpfs', '-o', 'size=40m', 'tmpfs', disk]).then(
  () => true,
  () => false,
);
const lines: string[] = [];
let child: Child<{ port: number }> | undefined;
let client: StoreClient;
beforeAll(() => build());
afterAll(async () => {
  await child?.stop();
  if (mounted) await run('umount', ['-l', disk]);
  await rm(disk, { recursive: true, force: true });
});

async function fill(path: string): Promise<void> {
  const file = await open(path, 'w');
  try {
    for (;;) await file.write(Buffer.alloc(2 ** 16));
  } catch (error) {
    expect(error).toMatchObject({ code: 'ENOSPC' });
  } finally {
    await file.close();
  }
}

const free = async () => {
  const { bavail, bsize } = await statfs(disk);
  return bavail * bsize;
};

describe.skipIf(!mounted)('a table on a full disk', () => {
  const put = (jobId: string) =>
    client.documents.send(new PutCommand({ TableName: 'jobs', Item: { jobId, part: 'state', n: 0 } }));
  const read = async (jobId: string) =>
    (
      await client.documents.send(
        new GetCommand({ TableName: 'jobs', Key: { jobId, part: 'state' }, ConsistentRead: true }),
      )
    ).Item;
  const isTaken = (write: Promise<unknown>) =>
    write.then(
      () => true,
      () => false,
    );
  /** 30 KB that nobody can make smaller. */
  const change = (jobId: string, n: number) =>
    client.documents.send(
      new UpdateCommand({
        TableName: 'jobs',
        Key: { jobId, part: 'state' },
        UpdateExpression: 'SET #n = :n, #bytes = :bytes',
        ExpressionAttributeNames: { '#n': 'n', '#bytes': 'bytes' },
        ExpressionAttributeValues: { ':n': n, ':bytes': randomBytes(22_500).toString('base64') },
      }),
    );

  test('takes changes, far more than are left free, and no new job', { timeout: 120_000 }, async () => {
    child = await startChild(
      'the embedded DynamoDB',
      programOf('dynamodb'),
      { ...process.env, DIRECTORY: join(disk, 'db'), TOKEN: 'token' },
      createLog('test', 'warn', (line) => lines.push(line)),
      ({ port }) => ({ PORT: String(port) }),
    );
    const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
    const endpoint = `http://127.0.0.1:${child.ready.port}`;
    client = createStoreClient({ endpoint, region: 'local', credentials, token: 'token' });
    await createTables(client, '');
    await put('a');
    // The reserve is there.
    await expect.poll(free).toBeLessThan(24 * 2 ** 20);
    await fill(join(disk, 'filler'));
    await expect(put('b')).rejects.toMatchObject({ name: 'StorageFull' });
    for (let n = 1; n <= 500; n += 1) {
      // While LevelDB is opened anew.
      await expect.poll(() => isTaken(change('a', n)), { timeout: 10_000 }).toBe(true);
      if (n % 10 === 0) expect(await read('a')).toMatchObject({ n });
    }
    // 15 MB were written, on half a megabyte: what LevelDB could not finish was finished by its next start.
    expect(lines.join('')).toContain('child.ended');
    await expect(put('b')).rejects.toMatchObject({ name: 'StorageFull' });
    await rm(join(disk, 'filler'));
    await expect.poll(() => isTaken(put('b')), { timeout: 10_000 }).toBe(true);
    await expect.poll(free).toBeLessThan(24 * 2 ** 20);
  });
});
