// An ended job is reported to its webhook: signed, at least once, under one id, tried again for a day.

import { randomUUID } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { expire } from '../../functions/core/job.ts';
import { hourOf } from '../../functions/core/ledger.ts';
import { sumOf } from '../../functions/core/ledger-sums.ts';
import { call } from '../api/support.ts';
import { answers, startReceiver } from './receiver.ts';
import { outbox, type DeliveryRig, startDeliveryRig } from './rig.ts';

const HOUR = 3_600_000;
let rig: DeliveryRig;
beforeEach(async () => {
  rig = await startDeliveryRig();
});
afterEach(() => rig.close());

const secretOf = async () => String((await call(rig.app, 'GET /api/webhooks/secret')).json['secret']);

describe('the end of a job', () => {
  test('that was completed is reported with its status, without the links', async () => {
    const { receiver } = rig;
    await rig.addHost();
    const jobId = await rig.generate({ webhook_url: `${receiver.url}/done?of=job` });
    await rig.until(jobId, ['completed']);
    expect(await rig.round()).toMatchObject({ taken: 1, tried: 1 });

    const [got] = receiver.got;
    expect(got!.path).toBe('/done?of=job');
    const status = (await rig.status(jobId)) as Record<'images' | 'outputs', Record<string, unknown>[]>;
    const [images, outputs] = [status.images, status.outputs].map((list) =>
      list.map(({ url, ...one }) => {
        expect(url).toContain('signature=');
        return one;
      }),
    );
    expect([images!.length, outputs!.length]).toEqual([1, 1]);
    expect(JSON.parse(got!.body)).toEqual({
      type: 'job.completed',
      timestamp: (status as Record<string, unknown>)['completed_at'],
      data: { ...status, images, outputs },
    });
    expect(got!.body).not.toContain('http');
  });

  test('that was cancelled or failed is reported as that', async () => {
    const { receiver } = rig;
    const cancelled = await rig.cancelled();
    const failed = await rig.generate({ webhook_url: receiver.url });
    const later = rig.store.now() + 25 * HOUR;
    const state = (await rig.store.jobs.readState(failed))!;
    expect(await rig.store.jobs.write(failed, expire(state, later))).toBe(true);
    await rig.round();
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
    const jobId = await rig.generate();
    await call(rig.app, `DELETE /api/queue/${jobId}`);
    expect(await rig.round()).toEqual({ taken: 0, tried: 0 });
    expect(await rig.listed()).toEqual([]);
  });

  test('is not reported before it has come', async () => {
    const jobId = await rig.generate({ webhook_url: rig.receiver.url });
    expect(await outbox(rig)).toEqual([]);
    expect(await rig.round()).toEqual({ taken: 0, tried: 0 });
    await call(rig.app, `DELETE /api/queue/${jobId}`);
    expect(await outbox(rig)).toEqual([jobId]);
  });

  test('is reported once where nothing goes wrong, however many rounds there are', async () => {
    await rig.cancelled();
    for (let rounds = 0; rounds < 3; rounds += 1) {
      await rig.round();
      rig.wait(HOUR);
    }
    expect(rig.receiver.got).toHaveLength(1);
    expect(await outbox(rig)).toEqual([]);
    expect(await rig.listed()).toMatchObject([{ attempts: 1, lastStatus: 200 }]);
  });
});

describe('the signature', () => {
  test('is what the official library verifies, with the owner’s secret and no other', async () => {
    await rig.cancelled();
    await rig.round();
    const body = rig.receiver.got[0]!.body;
    const headers = rig.receiver.got[0]!.headers as Record<string, string>;
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
    rig.receiver.answer(answers(500));
    await rig.cancelled();
    await rig.round();
    rig.wait(10_000);
    await rig.round();
    const [first, second] = rig.receiver.got.map(({ headers }) => headers);
    expect(Number(second!['webhook-timestamp'])).toBeGreaterThan(Number(first!['webhook-timestamp']));
    expect(second!['webhook-signature']).not.toBe(first!['webhook-signature']);
    const webhook = new Webhook(await secretOf());
    for (const { body, headers } of rig.receiver.got)
      expect(webhook.verify(body, headers as Record<string, string>)).toBeTruthy();
  });
});

describe('a receiver', () => {
  test('that fails gets it again later, with the same id and body', async () => {
    rig.receiver.answer((_got, res, nth) => void res.writeHead(nth < 3 ? 500 : 200).end());
    await rig.cancelled();
    const { nextDue } = await rig.round();
    expect(nextDue).toBeUndefined();
    expect(await rig.listed()).toMatchObject([
      { due: 'due', attempts: 1, lastStatus: 500, lastError: 'it answered 500' },
    ]);
    // Not before its time.
    const early = await rig.round();
    expect(early).toMatchObject({ tried: 0, nextDue: expect.any(Number) as number });
    rig.wait(7000);
    await rig.round();
    rig.wait(26_000);
    await rig.round();
    const { got } = rig.receiver;
    expect(got).toHaveLength(3);
    expect(new Set(got.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    expect(new Set(got.map(({ body }) => body)).size).toBe(1);
    const [delivery] = await rig.listed();
    expect(delivery).toMatchObject({
      attempts: 3,
      lastStatus: 200,
      deliveredAt: expect.any(Number) as number,
    });
    for (const field of ['due', 'dueAt', 'claim', 'lastError']) expect(delivery).not.toHaveProperty(field);
  });

  test('that never takes it is given up after a day', async () => {
    rig.receiver.answer(answers(503));
    await rig.cancelled();
    for (let hours = 0; hours < 30; hours += 0.5) {
      await rig.round();
      rig.wait(HOUR / 2);
    }
    const [delivery] = await rig.listed();
    expect(delivery).toMatchObject({ lastStatus: 503, gaveUpAt: expect.any(Number) as number });
    expect(delivery).toMatchObject({ due: 'gave-up' });
    expect(delivery!.gaveUpAt! - delivery!.since).toBeGreaterThanOrEqual(24 * HOUR);
    expect(delivery!.gaveUpAt! - delivery!.since).toBeLessThan(25 * HOUR);
    const tried = rig.receiver.got.length;
    expect(tried).toBeGreaterThan(8);
    expect(await rig.round()).toEqual({ taken: 0, tried: 0 });
    expect(rig.receiver.got).toHaveLength(tried);
  });

  test('that is gone (410) is not asked again', async () => {
    rig.receiver.answer(answers(410));
    await rig.cancelled();
    await rig.round();
    rig.wait(HOUR);
    await rig.round();
    expect(rig.receiver.got).toHaveLength(1);
    expect(await rig.listed()).toMatchObject([{ lastStatus: 410, gaveUpAt: expect.any(Number) as number }]);
  });

  test('that fails keeps no other waiting', async () => {
    const silent = await startReceiver();
    silent.answer(() => undefined);
    for (let bad = 0; bad < 3; bad += 1) {
      const jobId = await rig.generate({ webhook_url: silent.url });
      await call(rig.app, `DELETE /api/queue/${jobId}`);
    }
    await rig.cancelled();
    await rig.round();
    await silent.close();
    expect(rig.receiver.got[0]!.at).toBeLessThan(silent.got[1]!.at);
    const listed = await rig.listed();
    expect(listed.map(({ lastStatus }) => lastStatus).filter(Boolean)).toEqual([200]);
    expect(listed.filter(({ lastError }) => lastError?.includes('no answer'))).toHaveLength(3);
  });

  test('of a job that was removed meanwhile gets nothing, and the list says why', async () => {
    rig.receiver.answer(answers(500));
    const jobId = await rig.cancelled();
    await rig.round();
    await call(rig.app, `DELETE /api/history/${jobId}`);
    rig.wait(HOUR);
    await rig.round();
    expect(rig.receiver.got).toHaveLength(1);
    expect(await rig.listed()).toMatchObject([
      {
        lastError: expect.stringContaining('removed') as string,
        gaveUpAt: expect.any(Number) as number,
      },
    ]);
  });
});

test('a job that comes again under its id, by its key, has another webhook id', async () => {
  const key = { 'idempotency-key': randomUUID() };
  const again = async () => {
    const json = { prompt: 'x', webhook_url: rig.receiver.url };
    const { json: answer } = await call(rig.app, 'POST /api/generate', { json, headers: key });
    const jobId = String(answer['job_id']);
    await call(rig.app, `DELETE /api/queue/${jobId}`);
    await rig.round();
    await call(rig.app, `DELETE /api/history/${jobId}`);
    return jobId;
  };
  expect(await again()).toBe(await again());
  const ids = rig.receiver.got.map(({ headers }) => headers['webhook-id']);
  expect(ids).toHaveLength(2);
  expect(ids[0]).not.toBe(ids[1]);
});

test('a log line holds neither the address nor the secret nor the prompt', async () => {
  const jobId = await rig.generate({
    webhook_url: `${rig.receiver.url}/?token=geheim`,
    prompt: 'rotfuchs',
  });
  await call(rig.app, `DELETE /api/queue/${jobId}`);
  rig.receiver.answer(answers(500));
  await rig.round();
  const text = rig.lines.join('\n');
  expect(text).toContain(jobId);
  for (const hidden of ['geheim', 'rotfuchs', String(rig.receiver.port), await secretOf()])
    expect(text).not.toContain(hidden);
});

describe('the ledger', () => {
  const counted = async () => {
    const rows = await rig.store.ledgers.readHour(hourOf(rig.store.now()));
    return sumOf(rows.flatMap(({ intervals }) => Object.values(intervals))).webhooks;
  };

  test('has what was delivered, what failed and what was given up, each once', async () => {
    rig.receiver.answer((_got, res, nth) => void res.writeHead([500, 200, 410][nth - 1] ?? 200).end());
    await rig.cancelled();
    await rig.round();
    expect(await counted()).toEqual({ delivered: 0, failed: 1, gaveUp: 0 });
    rig.wait(10_000);
    await rig.round();
    await rig.round();
    expect(await counted()).toEqual({ delivered: 1, failed: 1, gaveUp: 0 });
    await rig.cancelled();
    await rig.round();
    expect(await counted()).toEqual({ delivered: 1, failed: 2, gaveUp: 1 });
    const { json } = await call(rig.app, 'GET /api/admin/hours?hours=1');
    const intervals = json['intervals'] as { webhooks: Record<string, number> }[];
    expect(intervals.map(({ webhooks }) => webhooks)).toContainEqual({
      delivered: 1,
      failed_tries: 2,
      given_up: 1,
    });
    expect(await (await rig.app.request('/metrics')).text()).toMatch(
      /^comfyui_webhook_tries_total\{outcome="failed"\} 2$/m,
    );
  });

  test('does not count a try whose record another process has overtaken', async () => {
    const deps = rig.deps();
    const deliveries = { ...deps.deliveries, record: () => Promise.resolve(false) };
    await rig.cancelled();
    await rig.round({ deliveries });
    expect(await counted()).toEqual({ delivered: 0, failed: 0, gaveUp: 0 });
  });

  test('that cannot be put keeps its counts, and webhooks go on', async () => {
    const { ledger } = rig.deps();
    const failing = { ...ledger, write: () => Promise.reject(new Error('no answer')) };
    await rig.cancelled();
    expect(await rig.round({ ledger: failing })).toMatchObject({ tried: 1 });
    expect(rig.lines.some((line) => line.includes('round.failed'))).toBe(true);
    await rig.cancelled();
    await rig.round();
    expect(await counted()).toMatchObject({ delivered: 2 });
  });
});
