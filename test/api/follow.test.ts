// Following a job: events as they come, from any server, and answers that wait for a change.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { advance, cancel, claim, complete, start } from '../../functions/core/job.ts';
import { eventIdOf } from '../../functions/core/event-id.ts';
import { type Rig, startRig } from '../support/rig.ts';
import { type EventReader, eventsOf } from './event-reader.ts';
import { anotherProcess, call, eventually, putJob } from './support.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig({ forward: false });
});
afterAll(() => rig.close());

const HOST = 'host';
const fence = { attempt: 1, host: HOST };

async function follow(jobId: string, lastId?: string, app = rig.app): Promise<Response> {
  return app.request(`/api/status/${jobId}/events`, {
    headers: lastId === undefined ? {} : { 'last-event-id': lastId },
  });
}

async function stateOf(jobId: string) {
  return (await rig.store.jobs.readState(jobId))!;
}

/** What a host would do with the job. */
const does = {
  claim: async (jobId: string) =>
    rig.store.jobs.write(jobId, claim(await stateOf(jobId), HOST, rig.store.now(), true)),
  start: async (jobId: string) =>
    rig.store.jobs.write(jobId, start(await stateOf(jobId), fence, rig.store.now())),
  advance: (jobId: string, progress: number) =>
    rig.store.jobs.write(
      jobId,
      advance(fence, { progress, currentStep: progress * 8, totalSteps: 8 }, rig.store.now()),
    ),
  complete: async (jobId: string) =>
    rig.store.jobs.write(
      jobId,
      complete(await stateOf(jobId), fence, [], { currentStep: 8, totalSteps: 8 }, rig.store.now()),
    ),
  cancel: (jobId: string) => rig.store.jobs.write(jobId, cancel(rig.store.now())),
};

describe('a stream of events', () => {
  test('tells what is known, each change, and ends with the job', async () => {
    const jobId = await putJob(rig);
    const answer = await follow(jobId);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toMatch(/^text\/event-stream/);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    const events = eventsOf(answer);
    const next = async () => {
      const event = await events.nextTold();
      expect(event?.event).toBe('status');
      expect(event?.id).toBe(event?.data?.['event_id']);
      return event!.data;
    };
    expect(await next()).toMatchObject({ job_id: jobId, status: 'queued', attempts: 0, queue_position: 1 });
    await does.claim(jobId);
    expect(await next()).toMatchObject({ status: 'queued', waiting_code: 'comfyui_turn', attempts: 1 });
    await does.start(jobId);
    expect(await next()).toMatchObject({ status: 'processing', progress: 0 });
    await does.advance(jobId, 0.25);
    expect(await next()).toMatchObject({ progress: 0.25, current_step: 2, total_steps: 8 });
    await does.complete(jobId);
    const last = await next();
    expect(last).toMatchObject({ status: 'completed', progress: 1 });
    expect(last).toEqual(await rig.status(jobId));
    expect(await events.rest()).toEqual([]);
  });

  test('goes on at another server after the last id, and only when there is more to say', async () => {
    const jobId = await putJob(rig);
    const first = eventsOf(await follow(jobId));
    const { id } = (await first.nextTold())!;
    await first.cancel();
    const other = anotherProcess(rig, {});
    const second = eventsOf(await follow(jobId, id, other));
    // Nothing has happened: something is said all the same, so that whoever asks sees that it works.
    expect((await second.next())?.comment).toBeDefined();
    await does.claim(jobId);
    const claimed = await second.nextTold();
    expect(claimed?.data).toMatchObject({ waiting_code: 'comfyui_turn' });
    await second.cancel();
    await does.start(jobId);
    // Something happened while nobody listened.
    const third = eventsOf(await follow(jobId, claimed!.id));
    expect((await third.next())?.data).toMatchObject({ status: 'processing' });
    await third.cancel();
    await does.complete(jobId);
  });

  test('of a job that has ended: its end, and 204 to whoever has it, which stops an EventSource', async () => {
    const jobId = await putJob(rig, { status: 'completed', images: 1 });
    const told = await eventsOf(await follow(jobId)).rest();
    expect(told).toEqual([
      {
        event: 'status',
        id: expect.any(String),
        data: expect.objectContaining({ status: 'completed', images: [expect.anything()] }),
      },
    ]);
    expect(await eventsOf(await follow(jobId, '0-queued-0-0-4')).rest()).toHaveLength(1);
    const again = await follow(jobId, told[0]!.id, anotherProcess(rig, {}));
    expect([again.status, await again.text()]).toEqual([204, '']);
  });

  test('ends when the job is removed; there is none to ask for after that', async () => {
    const jobId = await putJob(rig);
    const events = eventsOf(await follow(jobId));
    await events.nextTold();
    await rig.store.jobs.remove(jobId);
    expect((await events.rest()).filter(({ comment }) => comment === undefined)).toEqual([]);
    expect((await follow(jobId)).status).toBe(404);
  });

  test('is never silent for 15 seconds, and says how the place in the queue moves', async () => {
    const ahead = await putJob(rig, { createdAt: rig.store.now() - 60_000 });
    const jobId = await putJob(rig);
    const running = await putJob(rig);
    await does.claim(running);
    await does.start(running);
    const quiet = eventsOf(await follow(running));
    const moving = eventsOf(await follow(jobId));
    await quiet.nextTold();
    const before = (await moving.nextTold())!;
    await does.cancel(ahead);
    const from = performance.now();
    const [comment, moved] = await Promise.all([quiet.next(), moving.nextTold()]);
    expect(performance.now() - from).toBeLessThan(15_000);
    expect(comment).toEqual({ comment: expect.any(String) });
    expect(moved!.id).toBe(before.id);
    expect(moved!.data?.['queue_position']).toBeLessThan(Number(before.data?.['queue_position']));
    await Promise.all([quiet.cancel(), moving.cancel(), does.cancel(jobId), does.cancel(running)]);
  });

  test('HEAD is answered with the head', async () => {
    const jobId = await putJob(rig);
    const answer = await rig.app.request(`/api/status/${jobId}/events`, { method: 'HEAD' });
    expect([answer.status, await answer.text()]).toEqual([200, '']);
    expect(answer.headers.get('content-type')).toMatch(/^text\/event-stream/);
    await does.cancel(jobId);
  });
});

describe('an answer that waits', () => {
  const ask = (jobId: string, query: string, app = rig.app) => call(app, `GET /api/status/${jobId}?${query}`);

  test('comes with the change', async () => {
    const jobId = await putJob(rig);
    const from = performance.now();
    const answer = ask(jobId, 'wait=20');
    await does.claim(jobId);
    expect((await answer).json).toMatchObject({ attempts: 1, waiting_code: 'comfyui_turn' });
    expect(performance.now() - from).toBeLessThan(5000);
    await does.cancel(jobId);
  });

  test('comes when the time is up, as things are', async () => {
    const jobId = await putJob(rig);
    const from = performance.now();
    expect((await ask(jobId, 'wait=1')).json).toMatchObject({ job_id: jobId, status: 'queued' });
    expect(performance.now() - from).toBeGreaterThan(900);
    expect(performance.now() - from).toBeLessThan(3000);
    await does.cancel(jobId);
  });

  test('comes at once when what the caller knows is not so any more, from whichever server', async () => {
    const jobId = await putJob(rig);
    const since = String((await rig.status(jobId))['event_id']);
    await does.claim(jobId);
    const from = performance.now();
    const other = anotherProcess(rig, {});
    const { json } = await ask(jobId, `wait=20&since=${since}`, other);
    expect(json).toMatchObject({ attempts: 1, event_id: eventIdOf(await stateOf(jobId)) });
    // Known, and nothing new: it is waited for.
    const waiting = ask(jobId, `wait=20&since=${String(json['event_id'])}`, other);
    await does.cancel(jobId);
    expect((await waiting).json).toMatchObject({ status: 'cancelled' });
    // Nothing will change any more.
    expect((await ask(jobId, 'wait=25')).json).toMatchObject({ status: 'cancelled' });
    expect(performance.now() - from).toBeLessThan(5000);
  });

  test('of a job that is removed meanwhile is 404', async () => {
    const jobId = await putJob(rig);
    const answer = ask(jobId, 'wait=20');
    await rig.store.jobs.remove(jobId);
    expect(await answer).toMatchObject({ status: 404, json: { code: 'job_not_found' } });
  });

  test.each([
    'wait=',
    'wait=-1',
    'wait=26',
    'wait=1.5',
    'wait=1e1',
    'wait=soon',
    'wait=0020',
    'since=x',
    'wait=1&since=',
  ])('%s is refused with what it must be', async (query) => {
    const field = query.includes('since') ? 'since' : 'wait';
    expect(await ask('550e8400-e29b-41d4-a716-446655440000', query)).toMatchObject({
      status: 400,
      json: {
        code: 'invalid_field',
        error: expect.stringMatching(new RegExp(`^Invalid field: ${field} must be `)),
        details: { field },
      },
    });
  });
});

describe('however many listen', () => {
  test('the table is read strongly once a second, all followed jobs in one batch', async () => {
    const reads: { at: number; jobIds: string[] }[] = [];
    const { jobs } = rig.store;
    const app = anotherProcess(rig, {
      jobs: {
        ...jobs,
        readStates(jobIds, how) {
          if (how.consistent) reads.push({ at: performance.now(), jobIds });
          return jobs.readStates(jobIds, how);
        },
      },
    });
    const ids = [await putJob(rig), await putJob(rig), await putJob(rig)];
    const streams: EventReader[] = [];
    for (let n = 0; n < 90; n += 1) streams.push(eventsOf(await follow(ids[n % 3]!, undefined, app)));
    await Promise.all(streams.map((stream) => stream.nextTold()));
    const waits = ids.flatMap((id) =>
      Array.from({ length: 30 }, () => call(app, `GET /api/status/${id}?wait=4`)),
    );
    const answers = await Promise.all(waits);
    expect(answers.map(({ status }) => status)).toEqual(Array(90).fill(200));
    expect(reads.length).toBeGreaterThanOrEqual(3);
    expect(reads.length).toBeLessThanOrEqual(7);
    for (const [index, { at, jobIds }] of reads.entries()) {
      expect(jobIds.length).toBe(new Set(jobIds).size);
      if (index > 0) expect(at - reads[index - 1]!.at).toBeGreaterThan(990);
    }
    expect(reads.at(-1)!.jobIds.toSorted()).toEqual(ids.toSorted());
    const told = Promise.all(streams.map((stream) => stream.rest()));
    await Promise.all(ids.map((id) => does.cancel(id)));
    for (const events of await told) expect(events.at(-1)?.data).toMatchObject({ status: 'cancelled' });
    // Nobody follows any more: after one look that is under way at most, nothing is read.
    const then = reads.length;
    await new Promise((resolve) => setTimeout(resolve, 2500));
    expect(reads.length - then).toBe(0);
  });

  test('who comes while a look is under way is not told what was before', async () => {
    const { jobs } = rig.store;
    const jobId = await putJob(rig);
    let begun: (() => void) | undefined;
    let goOn: (() => void) | undefined;
    const begins = new Promise<void>((resolve) => (begun = resolve));
    const goes = new Promise<void>((resolve) => (goOn = resolve));
    const app = anotherProcess(rig, {
      jobs: {
        ...jobs,
        async readStates(jobIds, how) {
          const states = await jobs.readStates(jobIds, how);
          if (how.consistent) begun!();
          if (how.consistent) await goes;
          return states;
        },
      },
    });
    const early = eventsOf(await follow(jobId, undefined, app));
    await early.nextTold();
    void early.next();
    await begins;
    await does.claim(jobId);
    const late = eventsOf(await follow(jobId, undefined, app));
    expect((await late.nextTold())?.data).toMatchObject({ attempts: 1 });
    const next = late.nextTold();
    goOn!();
    await does.start(jobId);
    expect((await next)?.data).toMatchObject({ status: 'processing' });
    await Promise.all([late.cancel(), early.cancel()]);
    await does.complete(jobId);
  });

  test('a table that stumbles is asked again', async () => {
    const { jobs } = rig.store;
    const jobId = await putJob(rig);
    let failures = 0;
    const app = anotherProcess(rig, {
      jobs: {
        ...jobs,
        readStates(jobIds, how) {
          if (!how.consistent || failures >= 2) return jobs.readStates(jobIds, how);
          failures += 1;
          return Promise.reject(new Error('throttled'));
        },
      },
    });
    const events = eventsOf(await follow(jobId, undefined, app));
    await events.nextTold();
    await does.claim(jobId);
    expect((await events.nextTold())?.data).toMatchObject({ attempts: 1 });
    expect(failures).toBe(2);
    await events.cancel();
    await does.cancel(jobId);
  });

  test('a known job is never refused for its rate', async () => {
    const jobId = await putJob(rig);
    const app = anotherProcess(rig, {
      settings: {
        links: 'request',
        allowedOrigins: ['*'],
        fixedComfyUI: true,
        maxWaiting: 1,
        openConnections: 3,
      },
    });
    const statuses = await Promise.all(
      Array.from({ length: 200 }, async (_, n) => {
        const answer = await (n % 2
          ? follow(jobId, undefined, app)
          : app.request(`/api/status/${jobId}?wait=1`));
        if (n % 2) await eventsOf(answer).cancel();
        return answer.status;
      }),
    );
    expect(new Set(statuses)).toEqual(new Set([200]));
    await eventually('the end', () => does.cancel(jobId));
  });
});
