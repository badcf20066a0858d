// The lists: work in the order of the jobs' turns, an owner's jobs newest first, page after page.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cancel, claim, complete, fail, type JobState } from '../../functions/core/job.ts';
import { ownerOrder, workOrder } from '../../functions/core/names.ts';
import { startStore, type TestStore } from '../support/store.ts';
import { BROKEN, HOST, IMAGE, NOW, STATES, STEPS } from '../core/job-states.ts';

let store: TestStore;
beforeAll(async () => {
  store = await startStore();
});
afterAll(() => store.close());

const ids = (rows: { jobId: string }[]) => rows.map(({ jobId }) => jobId);

async function accept(jobId: string, order: string, owner: string, createdAt = NOW): Promise<JobState> {
  const state = {
    ...STATES.waiting,
    jobId,
    owner,
    workOrder: order,
    ownerOrder: ownerOrder(createdAt, jobId),
  };
  await store.jobs.putState(state, 1);
  return state;
}

describe('work', () => {
  // Accepted in another order than their turns: a later turn may be given to an earlier job.
  const entries = ['e', 'b', 'd', 'a', 'c'];
  const order = (id: string) => workOrder(NOW + id.charCodeAt(0), 7, id, 'any');

  beforeAll(async () => {
    for (const id of entries) await accept(id, order(id), 'worker');
    const held = await accept('held', workOrder(NOW, 1, 'any', 'any'), 'worker');
    await store.jobs.write('held', claim(held, HOST, NOW, false));
    await accept('cancelled', workOrder(NOW, 2, 'any', 'any'), 'worker');
    await store.jobs.write('cancelled', cancel(NOW));
  });

  it('comes in the order of turns, each with its turn', async () => {
    const waiting = await store.jobs.listWork('waiting', 100);
    expect(ids(waiting)).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(waiting[0]).toMatchObject({ workOrder: order('a') });
    expect(ids(await store.jobs.listWork('held', 100))).toEqual(['held']);
  });

  it('comes up to a limit, and from behind a turn', async () => {
    expect(ids(await store.jobs.listWork('waiting', 2))).toEqual(['a', 'b']);
    expect(ids(await store.jobs.listWork('waiting', 2, order('b')))).toEqual(['c', 'd']);
    expect(ids(await store.jobs.listWork('waiting', 2, order('e')))).toEqual([]);
  });

  it('is counted whole', async () => {
    expect(await store.jobs.countWork('waiting')).toBe(5);
    expect(await store.jobs.countWork('held')).toBe(1);
  });

  it('a request part is in no index', async () => {
    const { jobId, owner } = STATES.waiting;
    const request = { jobId, owner, workflow: 'w', inputs: {}, notes: [], bodyHash: '', staging: [] };
    await store.jobs.putRequest(request, 1);
    expect(await store.jobs.countWork('waiting')).toBe(5);
    expect(await store.jobs.listRan(owner, 'completed', 10)).toEqual({ items: [] });
  });
});

describe("an owner's jobs that ran to an end", () => {
  const OWNER = 'anna';
  const fence = { attempt: 1, host: HOST };

  async function end(id: string, owner: string, place: number, failed = false): Promise<void> {
    const state = await accept(id, workOrder(NOW, place, id, owner), owner, NOW + place);
    await store.jobs.write(id, claim(state, HOST, NOW, false));
    const change = failed
      ? fail(state, fence, BROKEN, NOW)
      : complete(state, fence, Array(place).fill(IMAGE), STEPS, NOW);
    expect(await store.jobs.write(id, change)).toBe(true);
  }

  beforeAll(async () => {
    for (const id of ['n1', 'n3', 'n2', 'n5', 'n4']) {
      await end(id, OWNER, Number(id.slice(1)));
      await end(`${id}-of-bob`, 'bob', 9);
    }
    await end('broken', OWNER, 6, true);
    // Neither waits nor a cancelled one is listed.
    await accept('waits', workOrder(NOW, 7, 'waits', OWNER), OWNER, NOW + 7);
    await accept('cut', workOrder(NOW, 8, 'cut', OWNER), OWNER, NOW + 8);
    await store.jobs.write('cut', cancel(NOW));
  });

  it('come newest first, only hers, with how many images each has', async () => {
    const { items, cursor } = await store.jobs.listRan(OWNER, 'completed', 10);
    expect(ids(items)).toEqual(['n5', 'n4', 'n3', 'n2', 'n1']);
    expect(items.map(({ images }) => images)).toEqual([5, 4, 3, 2, 1]);
    expect(items[0]!.place).toBe(ownerOrder(NOW + 5, 'n5'));
    expect(cursor).toBeUndefined();
    expect(ids((await store.jobs.listRan(OWNER, 'failed', 10)).items)).toEqual(['broken']);
  });

  it('come page by page, none twice, none left out', async () => {
    const seen: string[] = [];
    let cursor: string | undefined;
    let pages = 0;
    do {
      const page = await store.jobs.listRan(OWNER, 'completed', 2, cursor);
      seen.push(...ids(page.items));
      pages += 1;
      ({ cursor } = page);
    } while (cursor);
    expect(seen).toEqual(['n5', 'n4', 'n3', 'n2', 'n1']);
    expect(pages).toBe(3);
  });

  it('of one moment are kept apart by their ids', async () => {
    const first = await store.jobs.listRan('bob', 'completed', 2);
    const second = await store.jobs.listRan('bob', 'completed', 9, first.cursor);
    expect([...ids(first.items), ...ids(second.items)]).toEqual(
      ['n5', 'n4', 'n3', 'n2', 'n1'].map((id) => `${id}-of-bob`),
    );
  });

  it('a stranger has none', async () => {
    expect(await store.jobs.listRan('nobody', 'completed', 10)).toEqual({ items: [] });
  });

  it('a removed job leaves the lists', async () => {
    await end('removed', 'carl', 1);
    await accept('gone', workOrder(NOW, 99, 'any', 'any'), 'carl');
    const before = await store.jobs.countWork('waiting');
    await store.jobs.remove('removed');
    await store.jobs.remove('gone');
    expect(await store.jobs.listRan('carl', 'completed', 10)).toEqual({ items: [] });
    expect(await store.jobs.countWork('waiting')).toBe(before - 1);
  });
});
