// GET /api/jobs, one of them in detail, and its graph, on both engines: whatever became of them, newest first, each once though
// others come and go; what a filter passes over is bounded.

import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { askForKeys } from '../../functions/api/http/access.ts';
import type { ApiApp } from '../../functions/api/deps.ts';
import { drawKey, type Scope } from '../../functions/core/access.ts';
import { imageName } from '../../functions/core/names.ts';
import { type Rig, startRig } from '../support/rig.ts';
import { startDynamo, startEmbedded } from '../support/store.ts';
import { anotherProcess, call, type Json, putJob, type PutJob, putJobs } from './support.ts';

interface Jobs {
  jobs: (Json & { job_id: string; outputs: Json[] })[];
  next_cursor: string | null;
}

const START = Date.UTC(2026, 0, 1);

describe.each([
  ['embedded', startEmbedded],
  ['dynamodb', startDynamo],
] as const)('on the engine %s', (engine, start) => {
  let rig: Rig;
  let app: ApiApp;
  beforeAll(async () => {
    rig = await startRig({ forward: false, store: await start() });
    app = anotherProcess(rig, { admit: askForKeys(rig.store) });
  });
  afterAll(() => rig.close());

  async function keyOf(owner: string, scopes: Scope[] = ['read']): Promise<string> {
    const { key, keyId, hash } = drawKey(randomBytes);
    await rig.store.keys.add({ keyId, hash, name: owner, owner, scopes, createdAt: rig.store.now() });
    return key;
  }

  const get = (key: string, path: string) =>
    call<Jobs>(app, `GET /api/${path}`, { headers: { 'x-api-key': key } });
  const idsOf = ({ json }: { json: Jobs }) => json.jobs.map((job) => job.job_id);

  /** All pages: the ids in the order in which they came, and how many pages there were. */
  async function all(key: string, query: string, each: () => Promise<unknown> = async () => undefined) {
    const ids: string[] = [];
    let pages = 0;
    for (let cursor: string | null = ''; cursor !== null; pages += 1) {
      const page = await get(key, `jobs?${query}${cursor && `&cursor=${cursor}`}`);
      expect(page.status).toBe(200);
      ids.push(...idsOf(page));
      cursor = page.json.next_cursor;
      await each();
    }
    return { ids, pages };
  }

  test('with no jobs, every field is there', async () => {
    expect((await get(await keyOf('nina'), 'jobs')).json).toEqual({ jobs: [], next_cursor: null });
  });

  describe('with jobs of every state, workflow and label', () => {
    const STATES = ['completed', 'failed', 'cancelled', 'queued', 'processing'] as const;
    const wanted: PutJob[] = Array.from({ length: 45 }, (_, at) => {
      const status = STATES[at % 5]!;
      return {
        owner: 'anna',
        createdAt: START + at,
        status,
        images: 1,
        request: {
          workflow: at % 2 === 0 ? 'even' : 'odd',
          inputs: { prompt: at % 3 === 0 ? `Ein BLAUER Ozean, ${at}` : `a red fox <b>${at}</b>`, seed: at },
          metadata: { project: at % 3 === 0 ? 'spring' : 'autumn:2', at: String(at) },
        },
        state:
          status === 'processing'
            ? { work: 'held', host: 'host-1', claimedBy: 'host-1', attempt: 1, startedAt: START + at }
            : {},
      };
    });
    let key: string;
    let ids: string[];
    /** Newest first, of those for which it holds. */
    const those = (holds: (at: number) => boolean) => ids.filter((_, at) => holds(at)).toReversed();
    beforeAll(async () => {
      key = await keyOf('anna');
      ids = await putJobs(rig, wanted);
      await putJobs(rig, [
        { owner: 'bob', createdAt: START + 7 },
        { owner: 'bob', createdAt: START + 8, status: 'completed', images: 1 },
      ]);
    });

    test.each([1, 2, 7, 44, 45, 46])('pages of %i have each once, newest first', async (limit) => {
      const { ids: seen, pages } = await all(key, `limit=${limit}`);
      expect(seen).toEqual(those(() => true));
      // DynamoDB may say only at the next read that there was no more.
      expect(pages - Math.ceil(45 / limit)).toBeOneOf(engine === 'embedded' ? [0] : [0, 1]);
    });

    test.each(STATES)('those that are %s', async (state) => {
      for (const limit of [2, 100])
        expect((await all(key, `state=${state}&limit=${limit}`)).ids).toEqual(
          those((at) => STATES[at % 5] === state),
        );
    });

    test('those of a workflow, with a label, with words in their prompt, and all of that at once', async () => {
      expect((await all(key, 'workflow=odd&limit=4')).ids).toEqual(those((at) => at % 2 === 1));
      expect((await all(key, 'label=project:autumn:2')).ids).toEqual(those((at) => at % 3 !== 0));
      expect((await all(key, 'search=ozean%20blauer&limit=3')).ids).toEqual(those((at) => at % 3 === 0));
      expect((await all(key, 'search=%3Cb%3E&limit=100')).ids).toEqual(those((at) => at % 3 !== 0));
      expect((await all(key, 'search=ozean%20fox')).ids).toEqual([]);
      expect(
        (await all(key, 'search=FOX&workflow=even&state=failed&label=project:autumn:2&label=at:16')).ids,
      ).toEqual([ids[16]]);
      expect((await all(key, 'label=project:spring&label=at:1')).ids).toEqual([]);
    });

    test('one as it is listed', async () => {
      const { jobs } = (await get(key, 'jobs?state=completed&limit=1')).json;
      const filename = imageName('Flux2_Turbo', ids[40]!, 1, 'png');
      expect(jobs[0]).toMatchObject({
        job_id: ids[40],
        status: 'completed',
        workflow: 'even',
        prompt: 'a red fox <b>40</b>',
        metadata: { project: 'autumn:2', at: '40' },
        created_at: new Date(START + 40).toISOString(),
        error_code: null,
        outputs: [
          {
            filename,
            kind: 'image',
            content_type: 'image/png',
            size_bytes: 10,
            width: 256,
            path: `/api/image/${filename}`,
            thumbnail: `/api/image/${filename}/thumbnail`,
          },
        ],
      });
    });

    test('another’s are for a key with the scope admin that asks for them', async () => {
      expect(await get(key, 'jobs?owner=bob')).toMatchObject({ status: 403, json: { code: 'forbidden' } });
      const admin = await keyOf('root', ['admin']);
      expect(idsOf(await get(admin, 'jobs'))).toEqual([]);
      expect(await all(admin, 'owner=anna&limit=10')).toMatchObject({ ids: those(() => true) });
      const bobs = await keyOf('bob');
      expect(idsOf(await get(bobs, 'jobs'))).toHaveLength(2);
      for (const path of [`jobs/${ids[0]}`, `jobs/${ids[0]}/graph`]) {
        expect(await get(bobs, path)).toMatchObject({ status: 404, json: { code: 'job_not_found' } });
        expect((await get(admin, path)).status).toBe(200);
      }
    });

    test.each([
      ['limit=0', 'limit'],
      ['limit=1001', 'limit'],
      ['cursor=none', 'cursor'],
      [`cursor=${Buffer.from('1'.repeat(13)).toString('base64url')}`, 'cursor'],
      ['state=done', 'state'],
      ['label=project', 'label'],
      ['label=a%20b:x', 'label'],
      ['label=a:1&label=a:2', 'label'],
      ['label=a:1&label=b:1&label=c:1&label=d:1', 'label'],
      [`label=a:${'x'.repeat(257)}`, 'label'],
      [`search=${'x'.repeat(201)}`, 'search'],
    ])('?%s is refused by its name', async (query, field) => {
      expect(await get(key, `jobs?${query}`)).toMatchObject({
        status: 400,
        json: { code: 'invalid_field', details: { field } },
      });
    });

    test('a removed one is in no list, a cancelled one is removed as any other', async () => {
      const deleted = await putJob(rig, { status: 'cancelled', createdAt: START });
      expect((await call<Jobs>(rig.app, 'GET /api/jobs')).json.jobs).toHaveLength(1);
      expect((await call(rig.app, `DELETE /api/history/${deleted}`)).status).toBe(200);
      expect((await call(rig.app, 'GET /api/jobs')).json).toEqual({ jobs: [], next_cursor: null });
      expect((await call(rig.app, `GET /api/jobs/${deleted}`)).status).toBe(404);
    });
  });

  test.each(['', '&state=completed', '&search=kept', '&state=cancelled&label=as:put'])(
    'while others come and are removed, each that stays stands once (%s)',
    async (filter) => {
      const owner = `mover${filter.length}`;
      const key = await keyOf(owner);
      const status = filter.includes('cancelled') ? ('cancelled' as const) : ('completed' as const);
      const put = (at: number): PutJob => ({
        owner,
        createdAt: START + at,
        status,
        request: { inputs: { prompt: 'kept' }, metadata: { as: 'put' } },
      });
      const ids = await putJobs(
        rig,
        Array.from({ length: 60 }, (_, at) => put(at)),
      );
      let page = 0;
      const gone = new Set<string>();
      const { ids: seen } = await all(key, `limit=7${filter}`, async () => {
        page += 1;
        // Newer ones, one that was shown and one that comes next.
        await putJobs(rig, [put(100 + page)]);
        for (const at of [60 - page * 7, 60 - page * 7 - 1]) {
          if (at < 0) continue;
          await rig.store.jobs.remove(ids[at]!);
          gone.add(ids[at]!);
        }
      });
      expect(new Set(seen).size).toBe(seen.length);
      const stays = ids.filter((id) => !gone.has(id)).toReversed();
      expect(seen.filter((id) => !gone.has(id))).toEqual(stays);
    },
  );

  test('a search for what few have looks at 1,000 a page, and goes on from there', async () => {
    const key = await keyOf('otto');
    const put = (at: number): PutJob => ({
      owner: 'otto',
      createdAt: START + at,
      status: 'completed',
      request: { inputs: { prompt: at === 30 ? 'the needle' : 'hay' } },
    });
    const ids = await putJobs(
      rig,
      Array.from({ length: 1100 }, (_, at) => put(at)),
    );
    const first = (await get(key, 'jobs?search=needle')).json;
    expect(first).toEqual({ jobs: [], next_cursor: expect.any(String) });
    const next = await get(key, `jobs?search=needle&cursor=${first.next_cursor}`);
    expect(idsOf(next)).toEqual([ids[30]]);
    expect(next.json.next_cursor).toBeNull();
  });
});

describe('one in detail', () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await startRig();
  });
  afterAll(() => rig.close());

  test('has where it ran, also when it has ended, and its graph as a file', async () => {
    const host = await rig.addHost();
    const seed = 18_446_744_073_709_551_615n;
    const body = `{"prompt": "a fox", "steps": 2, "seed": ${seed}, "metadata": {"a": "b"}, "priority": "high"}`;
    const accepted = await call(rig.app, 'POST /api/generate', {
      body,
      headers: { 'content-type': 'application/json' },
    });
    const jobId = String(accepted.json['job_id']);
    await rig.until(jobId, ['completed']);
    const text = await (await rig.app.request(`/api/jobs/${jobId}`)).text();
    expect(text).toContain(`"seed":${seed}`);
    const job = JSON.parse(text) as Json & { outputs: Json[]; inputs: Json };
    expect(job).toMatchObject({
      job_id: jobId,
      owner: 'local',
      status: 'completed',
      priority: 'high',
      metadata: { a: 'b' },
      attempts: 1,
      lost_attempts: 0,
      host: host.running.hostId,
      claimed_at: expect.any(String),
      queued_seconds: expect.any(Number),
      duration_seconds: expect.any(Number),
      gpu_seconds: expect.any(Number),
      failed_node: null,
      inputs: { prompt: 'a fox', steps: 2 },
    });
    expect(job.outputs[0]).toMatchObject({ url: expect.stringMatching(/^http/), path: expect.any(String) });
    const graph = await rig.app.request(`/api/jobs/${jobId}/graph`);
    expect(graph.headers.get('content-disposition')).toBe(
      `attachment; filename="flux2_turbo_default-${jobId.slice(0, 8)}.json"`,
    );
    expect(await graph.text()).toContain(`"seed":${seed}`);
  });

  test('one that failed has its node, one that waits has neither host nor times', async () => {
    const failed = await putJob(rig, {
      status: 'failed',
      state: { error: 'KSampler (node 3) failed: ValueError: no', errorCode: 'node_failed' },
    });
    expect((await call(rig.app, `GET /api/jobs/${failed}`)).json).toMatchObject({
      error_code: 'node_failed',
      failed_node: { node: '3', class_type: 'KSampler', exception: 'ValueError', message: 'no' },
      duration_seconds: null,
    });
    const waiting = await putJob(rig, { state: { acceptedFor: 'real' } });
    expect((await call(rig.app, `GET /api/jobs/${waiting}`)).json).toMatchObject({
      host: null,
      claimed_at: null,
      queued_seconds: null,
      duration_seconds: null,
      status: 'queued',
    });
  });
});
