// What a heartbeat costs and hears: its own item and one number, however many hosts there are.

import { BatchWriteCommand } from '@aws-sdk/lib-dynamodb';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Charge, meter } from '../../functions/cli/simulate/meter.ts';
import { createSpreading } from '../../functions/controller/queue-spread.ts';
import { TIMINGS } from '../../functions/core/timings.ts';
import { createHeartbeat, type Heartbeat } from '../../functions/host/machine/heartbeat.ts';
import { createLog } from '../../functions/log.ts';
import { createStoreClient, engineOf } from '../../functions/store/dynamodb/client.ts';
import { openTables, type Tables } from '../../functions/store/open.ts';
import { hostItem } from '../support/host-item.ts';
import { CREDENTIALS, type DynamoStore, REGION, startDynamo } from '../support/store.ts';

const ID = 'machine.run';
const log = createLog('test', 'error', () => undefined);
let store: DynamoStore;
let mine: Tables;
let charges: Charge[];
/** So far ahead is the clock by which the host reads what changes slowly. */
let ahead: number;
let life: Heartbeat;
beforeEach(async () => {
  store = await startDynamo();
  const client = createStoreClient({ endpoint: store.url, region: REGION, credentials: CREDENTIALS });
  charges = [];
  meter('host', client, store.client.raw, charges);
  ahead = 0;
  mine = openTables(
    engineOf({ ...client, clock: { ...client.clock, now: () => client.clock.now() + ahead } }, ''),
  );
  life = createHeartbeat({
    hosts: mine.hosts,
    spread: mine.spread,
    log,
    timings: TIMINGS,
    hostId: ID,
    item: () => hostItem(ID, store.now(), { retire: life.isRetired() || undefined }),
    now: store.now,
  });
});
afterEach(() => store.close());

const round = () => createSpreading({ ...store, log }).round();
/** As many at once as DynamoDB takes. */
async function fleetOf(size: number): Promise<void> {
  for (let from = 0; from < size; from += 25) {
    const hosts = Array.from({ length: Math.min(25, size - from) }, (_, n) => {
      return { PutRequest: { Item: hostItem(`i-${from + n}.run`, store.now()) } };
    });
    await store.client.documents.send(new BatchWriteCommand({ RequestItems: { hosts } }));
  }
}
const sum = (of: 'reads' | 'writes') => charges.reduce((total, charge) => total + charge[of], 0);

test.each([4, 400])('among %i others a minute of it is 13 read units and 12 write units', async (others) => {
  await fleetOf(others);
  await round();
  for (let beats = 0; beats < 12; beats += 1) {
    await life.beat();
    ahead += 5000;
  }
  expect({ reads: sum('reads'), writes: sum('writes') }).toEqual({ reads: 13, writes: 12 });
  await expect.poll(() => life.neighbours()).toBe(others - 1);
});

test('how many others there are it hears from the controller, itself not counted', async () => {
  await life.beat();
  expect(life.neighbours()).toBe(0);
  await fleetOf(6);
  await store.hosts.put(hostItem('dead.run', store.now() - 46_000));
  await round();
  await life.beat();
  expect(life.neighbours()).toBe(0);
  ahead += TIMINGS.spreadReadEvery;
  await life.beat();
  await expect.poll(() => life.neighbours()).toBe(6);
  for (let n = 0; n < 6; n += 1) await store.hosts.remove(`i-${n}.run`);
  await round();
  ahead += TIMINGS.spreadReadEvery;
  await life.beat();
  await expect.poll(() => life.neighbours()).toBe(0);
});

test('a number that cannot be read costs no heartbeat, and the last one holds', async () => {
  await fleetOf(3);
  await life.beat();
  await round();
  ahead += TIMINGS.spreadReadEvery;
  await life.beat();
  await expect.poll(() => life.neighbours()).toBe(3);
  const deaf = createHeartbeat({
    hosts: mine.hosts,
    spread: { readCached: () => Promise.reject(new Error('throttled')) },
    log,
    timings: TIMINGS,
    hostId: ID,
    item: () => hostItem(ID, store.now()),
    now: store.now,
  });
  await deaf.beat();
  expect(deaf.looksDead()).toBe(false);
});

test('that it is to end it hears from its own item', async () => {
  await life.beat();
  expect(life.isRetired()).toBe(false);
  await store.hosts.retire(ID);
  await life.beat();
  expect(life.isRetired()).toBe(true);
  expect(await store.hosts.read(ID)).toMatchObject({ retire: true });
});

test('unheard for half the time after which it is dead, it looks dead', async () => {
  let now = 1_000_000;
  const one = createHeartbeat({
    hosts: mine.hosts,
    spread: mine.spread,
    log,
    timings: TIMINGS,
    hostId: ID,
    item: () => hostItem(ID, now),
    now: () => now,
  });
  expect(one.looksDead()).toBe(true);
  await one.report();
  now += 22_500;
  expect(one.looksDead()).toBe(false);
  now += 1;
  expect(one.looksDead()).toBe(true);
});

test('who looks at a thousand hosts for every batch reads some 25 units a second', async () => {
  await fleetOf(1000);
  const { hosts } = mine;
  const began = store.now();
  charges.length = 0;
  let polls = 0;
  for (; polls < 200; polls += 1) expect(await hosts.listCached()).toHaveLength(1000);
  const seconds = (store.now() - began) / 1000 + 9.5;
  expect(charges.length).toBeLessThanOrEqual(1 + Math.ceil(seconds / 9.5));
  expect(sum('reads') / 9.5).toBeLessThan(25);
});
