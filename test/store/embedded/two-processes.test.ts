// Two processes on one file: neither overwrites the other's, each sees what the other wrote, and one that is killed in the
// middle keeps nobody waiting.

import { afterEach, beforeEach, expect, test } from 'vitest';
import { absent, type Attributes, type Table } from '../../../functions/store/engine.ts';
import { jobsTable } from '../../../functions/store/tables.ts';
import { type EmbeddedStore, startEmbedded } from '../../support/store.ts';
import { checkFile } from './check.ts';
import { type Other, prepareToPutElsewhere, startOther } from './processes.ts';
import { itemAfter } from './writes.ts';

let store: EmbeddedStore;
let table: Table;
let other: Other;
beforeEach(async () => {
  store = await startEmbedded();
  table = store.engine.table(jobsTable);
  other = await startOther(store.directory);
});
afterEach(async () => {
  await other.kill();
  await store.close();
});

const keyOf = (jobId: string) => ({ jobId, part: 'state' });

test('counters that both add to add up', async () => {
  const key = keyOf('counter');
  const counted = other.ask({ key, times: 300 });
  const own = await Promise.all(Array.from({ length: 300 }, () => table.update(key, { add: { n: 1 } })));
  expect([own.filter(Boolean).length, await counted]).toEqual([300, 300]);
  expect(await table.read(key)).toEqual({ ...key, n: 600 });
  expect(await other.ask({ read: key })).toEqual({ ...key, n: 600 });
});

test('of two that write on one condition, one is accepted', async () => {
  const keys = Array.from({ length: 200 }, (_, n) => keyOf(`claim-${n}`));
  const theirs = other.ask({ claim: keys, by: 'other' }) as Promise<Attributes[]>;
  const own = await Promise.all(
    keys.toReversed().map((key) => table.update(key, { when: [absent('by')], set: { by: 'this' } })),
  );
  const won = keys.toReversed().filter((_, nth) => own[nth]);
  const lost = await theirs;
  expect(new Set([...won, ...lost].map(({ jobId }) => jobId)).size).toBe(200);
  expect(won.length + lost.length).toBe(200);
  for (const { jobId } of won) expect(await table.read(keyOf(jobId))).toMatchObject({ by: 'this' });
  for (const { jobId } of lost) expect(await table.read(keyOf(String(jobId)))).toMatchObject({ by: 'other' });
});

test('each sees what the other wrote as soon as that is answered, in the table and in its index', async () => {
  for (let n = 1; n <= 30; n += 1) {
    const item = { ...keyOf(`seen-${n}`), v: 1, n, work: 'seen', workOrder: String(n).padStart(3, '0') };
    if (n % 2 === 0) await table.put(item);
    else await other.ask({ put: item });
    expect(await other.ask({ read: keyOf(`seen-${n}`) })).toEqual(item);
    expect(await table.read(keyOf(`seen-${n}`))).toEqual(item);
    expect(await table.count({ index: 'byWork', partition: 'seen' })).toBe(n);
  }
});

test('a read shows what another process wrote before it began, though this one read a moment earlier', async () => {
  const putElsewhere = await prepareToPutElsewhere(store.directory);
  const key = keyOf('moment');
  const partition = { index: 'byWork', partition: 'moment' };
  await table.put({ ...key, n: 1 });
  expect(await table.read(key)).toMatchObject({ n: 1 });
  // Nothing else of this process runs between the two reads.
  putElsewhere({ ...key, n: 2, work: 'moment', workOrder: 'a' });
  expect(await table.read(key)).toMatchObject({ n: 2 });
  expect(await table.count(partition)).toBe(1);
  putElsewhere({ ...key, n: 3 });
  expect(await table.page(partition, 5)).toEqual({ rows: [], more: false });
  putElsewhere({ ...key, n: 4 });
  expect(await table.readMany([key], true)).toMatchObject([{ n: 4 }]);
  putElsewhere({ ...key, n: 5 });
  expect(await table.readAll(true)).toMatchObject([{ n: 5 }]);
});

test('each goes on when the other has made the file much larger', async () => {
  const text = 'x'.repeat(1_000_000);
  const large = (jobId: string) => ({ ...keyOf(jobId), v: 1, text });
  for (let n = 0; n < 12; n += 1) {
    for (let nth = 0; nth < 4; nth += 1) await other.ask({ put: large(`theirs-${n}-${nth}`) });
    expect(await table.read(keyOf(`theirs-${n}-3`))).toEqual(large(`theirs-${n}-3`));
    await Promise.all(Array.from({ length: 4 }, (_, nth) => table.put(large(`own-${n}-${nth}`))));
    expect(await other.ask({ read: keyOf(`own-${n}-3`) })).toEqual(large(`own-${n}-3`));
  }
  expect(await checkFile(store.directory)).toMatchObject({ jobs: 96 });
});

test('one that is killed in the middle of a write leaves nothing of it, and keeps nobody waiting', async () => {
  const key = keyOf('held');
  await table.put({ ...key, n: 1 });
  other.begin({ hold: key });
  await other.said(1);
  let written = false;
  const write = table.update(key, { add: { n: 1 } }).then((made) => (written = made));
  // Reads wait for no writer, and show nothing that is not written yet.
  for (let reads = 0; reads < 50; reads += 1) {
    expect(await table.read(key)).toEqual({ ...key, v: 1, n: 1 });
    await new Promise(setImmediate);
  }
  expect(written).toBe(false);
  await other.kill();
  expect(await write).toBe(true);
  expect(await table.read(key)).toEqual({ ...key, v: 1, n: 2 });
  other = await startOther(store.directory);
  expect(await other.ask({ read: key })).toEqual({ ...key, v: 1, n: 2 });
});

test('one that is killed under load again and again: all that it was told is there, and no row without its item', async () => {
  await other.kill();
  for (let round = 0; round < 10; round += 1) {
    other = await startOther(store.directory);
    const jobIds = Array.from({ length: 12 }, (_, n) => `load-${round}-${n}`);
    other.begin({ load: jobIds });
    const own = (async () => {
      for (let n = 1; n <= 20; n += 1)
        await table.put(itemAfter(`own-${round}`, n) ?? { ...keyOf(`own-${round}`) });
    })();
    await other.said(Math.ceil(Math.random() * 400));
    const acknowledged = new Map(jobIds.map((jobId) => [jobId, 0]));
    for (const line of await other.kill()) {
      const [jobId, n] = line.split(' ') as [string, string];
      acknowledged.set(jobId, Number(n));
    }
    await own;
    // Its next write may have been made too.
    for (const [jobId, n] of acknowledged)
      expect([itemAfter(jobId, n), itemAfter(jobId, n + 1)]).toContainEqual(await table.read(keyOf(jobId)));
    expect(await checkFile(store.directory)).toMatchObject({ jobs: (await table.readAll(true)).length });
  }
});
