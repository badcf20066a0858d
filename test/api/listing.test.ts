// GET /api/outputs and GET /api/history: newest first, in pages, with totals that are exact or say that they are not.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hexOf, outwardPromptId } from '../../functions/core/names.ts';
import { type Rig, startRig } from '../support/rig.ts';
import { call, type PutJob, putJobs } from './support.ts';

interface Outputs {
  images: string[];
  total: number;
  total_is_exact: boolean;
  output_dir: string;
  next_cursor: string | null;
}
interface History {
  history: Record<string, { prompt: unknown[]; outputs: unknown; status: string; job_id: string }>;
  total_items: number;
  total_is_exact: boolean;
  next_cursor: string | null;
}

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});
afterAll(() => rig.close());

const outputs = async (query = '') => (await call<Outputs>(rig.app, `GET /api/outputs${query}`)).json;
const history = async (query = '') => (await call<History>(rig.app, `GET /api/history${query}`)).json;
const START = Date.UTC(2026, 0, 1);
const imagesOf = (jobId: string, count: number) =>
  Array.from({ length: count }, (_, index) => `Flux2_Turbo_${hexOf(jobId)}_0000${index + 1}_.png`);

test('with nothing made, every field is there', async () => {
  expect(await outputs()).toEqual({
    images: [],
    total: 0,
    total_is_exact: true,
    output_dir: rig.images.outputDirectory,
    next_cursor: null,
  });
  expect(await history()).toEqual({ history: {}, total_items: 0, total_is_exact: true, next_cursor: null });
});

describe('with batches of several images, and jobs of every status among them', () => {
  const jobs: PutJob[] = Array.from({ length: 40 }, (_, index) => ({
    createdAt: START + index,
    status: (['completed', 'failed', 'completed', 'cancelled', 'queued'] as const)[index % 5]!,
    images: 1 + (index % 3),
  }));
  let newestFirst: string[];
  let ended: string[];
  beforeAll(async () => {
    const ids = await putJobs(rig, jobs);
    const all = ids.map((jobId, index) => ({ jobId, ...jobs[index]! })).toReversed();
    newestFirst = all
      .filter(({ status }) => status === 'completed')
      .flatMap(({ jobId, images }) => imagesOf(jobId, images!).toReversed());
    ended = all
      .filter(({ status }) => status === 'completed' || status === 'failed')
      .map(({ jobId }) => outwardPromptId(jobId));
  });

  test('outputs are newest first, within a batch too', async () => {
    expect(await outputs()).toMatchObject({
      images: newestFirst,
      total: newestFirst.length,
      total_is_exact: true,
    });
  });

  test.each([1, 2, 3, 7])('outputs in pages of %i: each image once, in order', async (limit) => {
    const pages: string[][] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const page: Outputs = await outputs(`?limit=${limit}${cursor && `&cursor=${cursor}`}`);
      expect(page.total).toBe(newestFirst.length);
      pages.push(page.images);
      cursor = page.next_cursor;
    }
    expect(pages.flat()).toEqual(newestFirst);
    expect(pages.length).toBe(Math.ceil(newestFirst.length / limit));
  });

  test('history has only what ran to an end, newest first, in pages', async () => {
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const page: History = await history(`?limit=5${cursor && `&cursor=${cursor}`}`);
      expect(page).toMatchObject({ total_items: ended.length, total_is_exact: true });
      expect(Object.keys(page.history).length).toBeLessThanOrEqual(5);
      seen.push(...Object.keys(page.history));
      cursor = page.next_cursor;
    }
    expect(seen).toEqual(ended);
  });

  test('a page goes on behind a job that was removed meanwhile', async () => {
    const first = await history('?limit=3');
    const next = first.next_cursor!;
    const second = Object.values((await history(`?limit=1&cursor=${next}`)).history)[0]!;
    await call(rig.app, `DELETE /api/history/${second.job_id}`);
    expect(Object.keys((await history(`?limit=2&cursor=${next}`)).history)).toEqual(ended.slice(4, 6));
  });
});

test.each(['0', '-1', '1001', '1.5', 'x', '', '1e3', 'NaN'])('limit=%s is refused by name', async (limit) => {
  for (const list of ['outputs', 'history']) {
    const answer = await call(rig.app, `GET /api/${list}?limit=${limit}`);
    expect(answer.status).toBe(400);
    expect(answer.json).toEqual({
      error: 'Invalid field: limit must be a whole number from 1 to 1000',
      code: 'invalid_field',
      details: { field: 'limit' },
    });
  }
});

test.each(['x', 'aGVsZA', Buffer.from('held:1').toString('base64url')])(
  'the cursor %s, of no such list, is refused',
  async (cursor) => {
    for (const list of ['outputs', 'history']) {
      const answer = await call(rig.app, `GET /api/${list}?cursor=${cursor}`);
      expect(answer.status).toBe(400);
      expect(answer.json).toMatchObject({ code: 'invalid_field', details: { field: 'cursor' } });
    }
  },
);

describe('totals', () => {
  let crowd: Rig;
  beforeAll(async () => {
    crowd = await startRig();
    // 999 jobs of one image each.
    const many = Array.from({ length: 999 }, (_, index) => ({ createdAt: START + index, images: 1 }));
    await putJobs(
      crowd,
      many.map((job) => ({ ...job, status: 'completed' })),
    );
  });
  afterAll(() => crowd.close());
  const totalsOf = async () => {
    const [made, ran] = [
      (await call<Outputs>(crowd.app, 'GET /api/outputs?limit=1000')).json,
      (await call<History>(crowd.app, 'GET /api/history?limit=1')).json,
    ];
    return [made.total, made.total_is_exact, made.images.length, ran.total_items, ran.total_is_exact];
  };

  test('are exact up to 1,000; beyond, 1,000 and not exact', async () => {
    expect(await totalsOf()).toEqual([999, true, 999, 999, true]);
    await putJobs(crowd, [{ createdAt: START + 1000, status: 'completed', images: 1 }]);
    // Above a hundred a total may be some seconds old.
    await expect.poll(totalsOf, { timeout: 10_000 }).toEqual([1000, true, 1000, 1000, true]);
    await putJobs(crowd, [{ createdAt: START + 1001, status: 'completed', images: 3 }]);
    await expect.poll(totalsOf, { timeout: 10_000 }).toEqual([1000, false, 1000, 1000, false]);
  });
});
