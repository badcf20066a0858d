// An ended job is reported to its webhook: signed, at least once, under one id, tried again for a day.

import { randomUUID } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { expire } from '../../functions/core/job.ts';
import { call } from '../api/support.ts';
import { answers, startReceiver } from './receiver.ts';
import { outbox, type Stage, startStage } from './stage.ts';

const HOUR = 3_600_000;
let stage: Stage;
beforeEach(async () => {
  stage = await startStage();
});
afterEach(() => stage.close());

const secretOf = async () => String((await call(stage.rig.app, 'GET /api/webhooks/secret')).json['secret']);

describe('the end of a job', () => {
  test('that was completed is reported with its status, without the links', async () => {
    const { rig, receiver } = stage;
    await rig.addHost();
    const jobId = await rig.generate({ webhook_url: `${receiver.url}/done?of=job` });
    await rig.until(jobId, ['completed']);
    expect(await stage.round()).toMatchObject({ taken: 1, tried: 1 });

    const [got] = receiver.got;
    expect(got!.path).toBe('/done?of=job');
    const status = (await rig.status(jobId)) as { images: Record<string, unknown>[] };
    const images = status.images.map(({ url, ...image }) => {
      expect(url).toContain('X-Amz-Signature');
      return image;
    });
    expect(images).toHaveLength(1);
    expect(JSON.parse(got!.body)).toEqual({
      type: 'job.completed',
      timestamp: (status as Record<string, unknown>)['completed_at'],
      data: { ...status, images },
    });
    expect(got!.body).not.toContain('http');
  });

  test('that was cancelled or failed is reported as that', async () => {
    const { rig, receiver } = stage;
    const cancelled = await stage.cancelled();
    const failed = await rig.generate({ webhook_url: receiver.url });
    const later = rig.store.now() + 25 * HOUR;
    const state = (await rig.store.jobs.readState(failed))!;
    expect(await rig.store.jobs.write(failed, expire(state, later))).toBe(true);
    await stage.round();
    const reported = receiver.got.map(
      ({ body }) => JSON.parse(body) as { type: string; data: { job_id: string } },
    );
    expect(new Map(reported.map(({ type, data }) => [data.job_id, type]))).toEqual(
      new Map([
        [cancelled, 'job.cancelled'],
        [failed, 'job.failed'],
      ]),
    );
  });

  test('of a job without a webhook is not reported', async () => {
    const jobId = await stage.rig.generate();
    await call(stage.rig.app, `DELETE /api/queue/${jobId}`);
    expect(await stage.round()).toEqual({ taken: 0, tried: 0 });
    expect(await stage.listed()).toEqual([]);
  });

  test('is not reported before it has come', async () => {
    const jobId = await stage.rig.generate({ webhook_url: stage.receiver.url });
    expect(await outbox(stage.rig)).toEqual([]);
    expect(await stage.round()).toEqual({ taken: 0, tried: 0 });
    await call(stage.rig.app, `DELETE /api/queue/${jobId}`);
    expect(await outbox(stage.rig)).toEqual([jobId]);
  });

  test('is reported once where nothing goes wrong, however many rounds there are', async () => {
    await stage.cancelled();
    for (let rounds = 0; rounds < 3; rounds += 1) {
      await stage.round();
      stage.wait(HOUR);
    }
    expect(stage.receiver.got).toHaveLength(1);
    expect(await outbox(stage.rig)).toEqual([]);
    expect(await stage.listed()).toMatchObject([{ attempts: 1, lastStatus: 200 }]);
  });
});

describe('the signature', () => {
  test('is what the official library verifies, with the owner’s secret and no other', async () => {
    await stage.cancelled();
    await stage.round();
    const body = stage.receiver.got[0]!.body;
    const headers = stage.receiver.got[0]!.headers as Record<string, string>;
    const secret = await secretOf();
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(new Webhook(secret).verify(body, headers)).toEqual(JSON.parse(body));
    expect(() => new Webhook(secret).verify(`${body} `, headers)).toThrow('No matching signature');
    const other = `whsec_${Buffer.alloc(32).toString('base64')}`;
    expect(() => new Webhook(other).verify(body, headers)).toThrow('No matching signature');
    expect(() => new Webhook(secret).verify(body, { ...headers, 'webhook-id': randomUUID() })).toThrow(
      'No matching signature',
    );
  });

  test('is over the time of its sending: a repetition is signed anew', async () => {
    stage.receiver.answer(answers(500));
    await stage.cancelled();
    await stage.round();
    stage.wait(10_000);
    await stage.round();
    const [first, second] = stage.receiver.got.map(({ headers }) => headers);
    expect(Number(second!['webhook-timestamp'])).toBeGreaterThan(Number(first!['webhook-timestamp']));
    expect(second!['webhook-signature']).not.toBe(first!['webhook-signature']);
    const webhook = new Webhook(await secretOf());
    for (const { body, headers } of stage.receiver.got)
      expect(webhook.verify(body, headers as Record<string, string>)).toBeTruthy();
  });
});

describe('a receiver', () => {
  test('that fails gets it again later, with the same id and body', async () => {
    stage.receiver.answer((_got, res, nth) => void res.writeHead(nth < 3 ? 500 : 200).end());
    await stage.cancelled();
    const { nextDue } = await stage.round();
    expect(nextDue).toBeUndefined();
    expect(await stage.listed()).toMatchObject([
      { due: 'due', attempts: 1, lastStatus: 500, lastError: 'it answered 500' },
    ]);
    // Not before its time.
    const early = await stage.round();
    expect(early).toMatchObject({ tried: 0, nextDue: expect.any(Number) as number });
    stage.wait(7000);
    await stage.round();
    stage.wait(26_000);
    await stage.round();
    const { got } = stage.receiver;
    expect(got).toHaveLength(3);
    expect(new Set(got.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    expect(new Set(got.map(({ body }) => body)).size).toBe(1);
    const [delivery] = await stage.listed();
    expect(delivery).toMatchObject({
      attempts: 3,
      lastStatus: 200,
      deliveredAt: expect.any(Number) as number,
    });
    for (const field of ['due', 'dueAt', 'claim', 'lastError']) expect(delivery).not.toHaveProperty(field);
  });

  test('that never takes it is given up after a day', async () => {
    stage.receiver.answer(answers(503));
    await stage.cancelled();
    for (let hours = 0; hours < 30; hours += 0.5) {
      await stage.round();
      stage.wait(HOUR / 2);
    }
    const [delivery] = await stage.listed();
    expect(delivery).toMatchObject({ lastStatus: 503, gaveUpAt: expect.any(Number) as number });
    expect(delivery).not.toHaveProperty('due');
    expect(delivery!.gaveUpAt! - delivery!.since).toBeGreaterThanOrEqual(24 * HOUR);
    expect(delivery!.gaveUpAt! - delivery!.since).toBeLessThan(25 * HOUR);
    const tried = stage.receiver.got.length;
    expect(tried).toBeGreaterThan(8);
    expect(await stage.round()).toEqual({ taken: 0, tried: 0 });
    expect(stage.receiver.got).toHaveLength(tried);
  });

  test('that is gone (410) is not asked again', async () => {
    stage.receiver.answer(answers(410));
    await stage.cancelled();
    await stage.round();
    stage.wait(HOUR);
    await stage.round();
    expect(stage.receiver.got).toHaveLength(1);
    expect(await stage.listed()).toMatchObject([{ lastStatus: 410, gaveUpAt: expect.any(Number) as number }]);
  });

  test('that fails keeps no other waiting', async () => {
    const silent = await startReceiver();
    silent.answer(() => undefined);
    for (let bad = 0; bad < 3; bad += 1) {
      const jobId = await stage.rig.generate({ webhook_url: silent.url });
      await call(stage.rig.app, `DELETE /api/queue/${jobId}`);
    }
    await stage.cancelled();
    await stage.round();
    await silent.close();
    expect(stage.receiver.got[0]!.at).toBeLessThan(silent.got[1]!.at);
    const listed = await stage.listed();
    expect(listed.map(({ lastStatus }) => lastStatus).filter(Boolean)).toEqual([200]);
    expect(listed.filter(({ lastError }) => lastError?.includes('no answer'))).toHaveLength(3);
  });

  test('of a job that was removed meanwhile gets nothing, and the list says why', async () => {
    stage.receiver.answer(answers(500));
    const jobId = await stage.cancelled();
    await stage.round();
    await call(stage.rig.app, `DELETE /api/history/${jobId}`);
    stage.wait(HOUR);
    await stage.round();
    expect(stage.receiver.got).toHaveLength(1);
    expect(await stage.listed()).toMatchObject([
      {
        lastError: 'the job was removed before it could be reported',
        gaveUpAt: expect.any(Number) as number,
      },
    ]);
  });
});

test('a job that comes again under its id, by its key, has another webhook id', async () => {
  const key = { 'idempotency-key': randomUUID() };
  const again = async () => {
    const json = { prompt: 'x', webhook_url: stage.receiver.url };
    const { json: answer } = await call(stage.rig.app, 'POST /api/generate', { json, headers: key });
    const jobId = String(answer['job_id']);
    await call(stage.rig.app, `DELETE /api/queue/${jobId}`);
    await stage.round();
    await call(stage.rig.app, `DELETE /api/history/${jobId}`);
    return jobId;
  };
  expect(await again()).toBe(await again());
  const ids = stage.receiver.got.map(({ headers }) => headers['webhook-id']);
  expect(ids).toHaveLength(2);
  expect(ids[0]).not.toBe(ids[1]);
});

test('a log line holds neither the address nor the secret nor the prompt', async () => {
  const jobId = await stage.rig.generate({
    webhook_url: `${stage.receiver.url}/?token=geheim`,
    prompt: 'rotfuchs',
  });
  await call(stage.rig.app, `DELETE /api/queue/${jobId}`);
  stage.receiver.answer(answers(500));
  await stage.round();
  const text = stage.lines.join('\n');
  expect(text).toContain(jobId);
  for (const hidden of ['geheim', 'rotfuchs', String(stage.receiver.port), await secretOf()])
    expect(text).not.toContain(hidden);
});
