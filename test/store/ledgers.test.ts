// The ledgers table: each process has a row of its own for an hour, and what is written twice or late counts once.

import { afterEach, beforeEach, expect, test } from 'vitest';
import type { EndedJob } from '../../functions/core/ledger.ts';
import { hourOf } from '../../functions/core/ledger.ts';
import { ledgersTable } from '../../functions/store/tables.ts';
import { openAt, startStore, type TestStore } from '../support/store.ts';

let store: TestStore;
const NOW = Date.parse('2026-11-30T01:07:30Z');
let now = NOW;
const HOUR = '2026-11-30T01';
beforeEach(async () => {
  store = await startStore();
  now = NOW;
});
afterEach(() => store.close());

const ledgers = () => openAt(store, () => now).ledgers;
const job: EndedJob = { jobId: 'a', status: 'completed', createdAt: NOW - 5000, startedAt: NOW, gpuMs: 100 };
const completedOf = async (hour = HOUR) =>
  (await ledgers().readHour(hour)).map(({ intervals }) =>
    Object.values(intervals).reduce((so, { completed }) => so + completed, 0),
  );

test('the ends of two processes lie side by side', async () => {
  const [one, other] = [ledgers().of('one'), ledgers().of('other')];
  one.ended(job);
  other.ended(job);
  other.ended({ ...job, status: 'failed', errorCode: 'no_output' });
  await Promise.all([one.write(), other.write()]);
  const rows = await ledgers().readHour(HOUR);
  expect(Object.fromEntries(rows.map(({ ledgerId, ends }) => [ledgerId, ends]))).toEqual({
    [`${HOUR}#one`]: 1,
    [`${HOUR}#other`]: 2,
  });
});

test('what is put again counts once, and nothing new is no write', async () => {
  const ledger = ledgers().of('one');
  ledger.ended(job);
  await ledger.write();
  await ledger.write();
  ledger.ended(job);
  await ledger.write();
  expect(await completedOf()).toEqual([2]);
});

test('a row with fewer ends comes late and changes nothing', async () => {
  const ledger = ledgers().of('one');
  ledger.ended(job);
  await ledger.write();
  ledger.ended(job);
  await ledger.write();
  const again = ledgers().of('one');
  again.ended(job);
  await again.write();
  expect(await completedOf()).toEqual([2]);
});

test('an hour begins a row, and the one before gets its last ends', async () => {
  const ledger = ledgers().of('one');
  ledger.ended(job);
  await ledger.write();
  ledger.ended(job);
  now = NOW + 3_600_000;
  ledger.ended(job);
  await ledger.write();
  expect([await completedOf(), await completedOf(hourOf(now))]).toEqual([[2], [1]]);
});

test('a write that fails is made good by the next', async () => {
  let fails = true;
  const failing = {
    ...store.engine,
    table: (spec: Parameters<typeof store.engine.table>[0]) => {
      const table = store.engine.table(spec);
      return {
        ...table,
        put: (...put: Parameters<typeof table.put>) =>
          fails && spec === ledgersTable ? Promise.reject(new Error('no answer')) : table.put(...put),
      };
    },
  };
  const ledger = openAt({ ...store, engine: failing }, () => now).ledgers.of('one');
  ledger.ended(job);
  await expect(ledger.write()).rejects.toThrow('no answer');
  fails = false;
  await ledger.write();
  expect(await completedOf()).toEqual([1]);
});

test('neither a cancelled job nor one that goes on is counted', async () => {
  const ledger = ledgers().of('one');
  ledger.ended({ ...job, status: 'cancelled' });
  ledger.ended({ ...job, status: 'queued' });
  await ledger.write();
  expect(await ledgers().readHour(HOUR)).toEqual([]);
});
