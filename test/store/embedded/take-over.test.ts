// The tables of release 0.1 are taken over whole, by however many starts it takes.

import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createStoreClient, engineOf } from '../../../functions/store/dynamodb/client.ts';
import { createTables } from '../../../functions/store/dynamodb/create-tables.ts';
import type { Attributes } from '../../../functions/store/engine.ts';
import { type EmbeddedEngine, openEmbedded } from '../../../functions/store/embedded/engine.ts';
import { takeOverTables } from '../../../functions/store/embedded/take-over.ts';
import { jobsTable, keysTable, tables } from '../../../functions/store/tables.ts';
import { createDynalite } from '../../support/dynalite/mended-dynalite.ts';
import { CREDENTIALS, REGION } from '../../support/store.ts';

const JOBS = 1100;
let directory: string;
let old: string;
/** Every item of the old tables, by table. */
let wanted: Map<string, string[]>;

/** As release 0.1 wrote it: by that emulator, into the same folder. */
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'take-over-'));
  old = join(directory, 'dynamodb');
  const server = createDynalite(old);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = createStoreClient({ endpoint, region: REGION, credentials: CREDENTIALS });
  await createTables(client, '');
  const engine = engineOf(client, '');
  const put = async (from: number) => {
    for (let n = from; n < JOBS; n += 32)
      await engine.table(jobsTable).put({
        jobId: `job-${n}`,
        part: n % 2 === 0 ? 'state' : 'request',
        owner: 'a',
        graph: new Uint8Array([n % 256, 2, 3]),
        inputs: { prompt: 'ü"\\', B: 'a field of this name', steps: [1, 2.5], none: null },
        ...(n % 2 === 0 && { work: 'waiting', workOrder: String(n).padStart(5, '0') }),
      });
  };
  await Promise.all(Array.from({ length: 32 }, (_, from) => put(from)));
  await engine.table(keysTable).put({ keyId: 'k', hash: 'h', scopes: ['read'], createdAt: 1 });
  wanted = new Map();
  for (const spec of tables) wanted.set(spec.name, sorted(await engine.table(spec).readAll(true)));
  client.raw.destroy();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const sorted = (items: Attributes[]): string[] => items.map(textOf).sort();

/** The same whether bytes come as a Buffer, which has a JSON of its own, or not. */
function textOf(item: Attributes): string {
  const fields = Object.keys(item)
    .sort()
    .map((name) => {
      const value = item[name];
      return [name, value instanceof Uint8Array ? [...value] : value];
    });
  return JSON.stringify(fields);
}

async function expectAll(engine: EmbeddedEngine): Promise<void> {
  for (const spec of tables)
    expect(sorted(await engine.table(spec).readAll<Attributes>(true))).toEqual(wanted.get(spec.name));
  expect(await engine.table(jobsTable).count({ index: 'byWork', partition: 'waiting' })).toBe(JOBS / 2);
}

test('everything is there, in the indexes too; the old files stay, and a second start does nothing', async () => {
  const before = (await readdir(old)).length;
  const engine = openEmbedded({ directory });
  expect(await takeOverTables(old, engine)).toBe(JOBS + 1);
  await expectAll(engine);
  expect((await readdir(old)).length).toBeGreaterThanOrEqual(before);
  await engine.table(keysTable).remove({ keyId: 'k' });
  expect(await takeOverTables(old, engine)).toBeUndefined();
  expect(await engine.table(keysTable).read({ keyId: 'k' })).toBeUndefined();
  await engine.close();
});

test('one that is broken off anywhere is finished by the next, and keeps what was written since', async () => {
  for (let batches = 0; batches < 4; batches += 1) {
    const engine = openEmbedded({ directory });
    let left = batches;
    const breaking: EmbeddedEngine = {
      ...engine,
      table: (spec) => {
        const table = engine.table(spec);
        return {
          ...table,
          putMissing(items) {
            if (left === 0) throw new Error('killed');
            left -= 1;
            return table.putMissing(items);
          },
        };
      },
    };
    await expect(takeOverTables(old, breaking)).rejects.toThrow('killed');
    await engine.close();
  }
  const engine = openEmbedded({ directory });
  await engine.table(keysTable).put({ keyId: 'k', hash: 'h', scopes: ['read'], createdAt: 1, v: 1 });
  expect(await takeOverTables(old, engine)).toBe(JOBS + 1);
  await expectAll(engine);
  await engine.close();
});

test('a folder that the old release still has, or none, is said', async () => {
  const engine = openEmbedded({ directory });
  expect(await takeOverTables(join(directory, 'none'), engine)).toBeUndefined();
  const level = new ClassicLevel(old);
  await level.open();
  await expect(takeOverTables(old, engine)).rejects.toMatchObject({ code: 'in_use' });
  await level.close();
  expect(await takeOverTables(old, engine)).toBe(JOBS + 1);
  await engine.close();
});
