// The callers: each submits jobs with an idempotency key until an answer comes, follows them, cancels some, downloads
// what was made, and remembers everything that it was told. What they ask for is drawn from the seed.

import { setTimeout as sleep } from 'node:timers/promises';
import { PNG } from 'pngjs';
import { APIS } from './plan.ts';
import { POISON_WIDTH } from './poison.ts';
import type { Random } from './random.ts';
import type { Deployment } from './deployment.ts';

export interface Observation {
  sentAt: number;
  receivedAt: number;
  status: string;
  attempts: number;
  progress: number;
  error: string | null;
  errorCode: string | null;
}

export interface Ask {
  key: string;
  at: number;
  body: Record<string, unknown>;
  /** What becomes of it if nobody interferes. */
  nature: 'good' | 'fails' | 'poison';
  width: number;
  height: number;
  images: number;
  /** Ms after its acceptance. */
  cancelAfter?: number;
  /** Reads an image that an earlier one of the load made. */
  reads?: boolean;
}

export interface Submitted {
  ask: Ask;
  /** Undefined: never answered with 202. */
  jobId?: string;
  observations: Observation[];
  cancelled: boolean;
  downloads: number;
  problems: string[];
}

export function drawLoad(random: Random, size: number, submitting: number): Ask[] {
  return Array.from({ length: size }, (_, index): Ask => {
    const width = random.between(2, 8) * 16;
    const height = random.between(2, 8) * 16;
    const what = random.next();
    const common = {
      key: `job-${index}`,
      at: random.between(0, submitting),
      width,
      height,
      images: 1,
      nature: 'good' as const,
      ...(random.chance(0.12) && { cancelAfter: random.between(0, 2500) }),
    };
    if (what < 0.4)
      return { ...common, body: { workflow: 'quick', width, height, color: random.between(0, 0xffffff) } };
    const slow = { workflow: 'slow', width, height, ms: random.between(200, 1500), seed: index };
    if (what < 0.75) return { ...common, body: slow };
    if (what < 0.85) return { ...common, body: { ...slow, batch_size: 2 }, images: 2 };
    if (what < 0.94) return { ...common, body: { workflow: 'invert' }, reads: true };
    if (what < 0.98)
      return { ...common, nature: 'fails', body: { workflow: 'quick', width: 16_384, height: 16_384 } };
    return {
      ...common,
      nature: 'poison',
      width: POISON_WIDTH,
      body: { ...slow, width: POISON_WIDTH, ms: 900 },
    };
  });
}

export interface Load {
  submitted: Submitted[];
  /** Resolves when every job has ended, or with `stop`. */
  done: Promise<void>;
  stop(): void;
}

export function startLoad(deployment: Deployment, asks: readonly Ask[]): Load {
  const stopped = new AbortController();
  const { signal } = stopped;
  const made: { name: string; width: number; height: number }[] = [];
  const submitted = asks.map((ask): Submitted => ({
    ask,
    observations: [],
    cancelled: false,
    downloads: 0,
    problems: [],
  }));

  /** Undefined where there was no answer, or one that says: later. */
  async function call(method: string, path: string, init: RequestInit = {}): Promise<Response | undefined> {
    try {
      const response = await fetch(deployment.apiUrl(Math.floor(Math.random() * APIS)) + path, {
        method,
        ...init,
        signal: AbortSignal.timeout(4000),
      });
      if (response.status < 500 && response.status !== 429) return response;
      await response.body?.cancel();
    } catch {
      // Killed, stopped or on its way up.
    }
    return undefined;
  }

  async function again<T>(work: () => Promise<T | undefined>): Promise<T | undefined> {
    while (!signal.aborted) {
      const result = await work();
      if (result !== undefined) return result;
      await sleep(100 + Math.random() * 200);
    }
    return undefined;
  }

  async function submit(one: Submitted): Promise<void> {
    const { ask } = one;
    let { body } = ask;
    if (ask.reads) {
      const image = made.at(-1);
      if (image) Object.assign(ask, { width: image.width, height: image.height });
      const name = image?.name ?? (await again(() => upload(ask)));
      body = { ...body, image: name };
    }
    const answer = await again(async () => {
      const response = await call('POST', '/api/generate', {
        headers: { 'content-type': 'application/json', 'idempotency-key': ask.key },
        body: JSON.stringify(body),
      });
      return response && { status: response.status, body: (await json(response)) ?? {} };
    });
    if (answer?.status === 202) one.jobId = String(answer.body['job_id']);
    else if (answer) one.problems.push(`refused with ${answer.status}: ${JSON.stringify(answer.body)}`);
  }

  async function upload(ask: Ask): Promise<string | undefined> {
    const png = PNG.sync.write(new PNG({ width: ask.width, height: ask.height }));
    const form = new FormData();
    form.append('image', new Blob([new Uint8Array(png)]), 'upload.png');
    const response = await call('POST', '/api/upload/image', { body: form });
    const name = response && (await json(response))?.['name'];
    return typeof name === 'string' ? name : undefined;
  }

  async function follow(one: Submitted): Promise<void> {
    const acceptedAt = Date.now();
    let cancelAt = one.ask.cancelAfter === undefined ? Infinity : acceptedAt + one.ask.cancelAfter;
    while (!signal.aborted) {
      if (Date.now() >= cancelAt) {
        cancelAt = Infinity;
        await again(async () => {
          const response = await call('DELETE', `/api/queue/${one.jobId}`);
          if (response?.status === 200) one.cancelled = true;
          await response?.body?.cancel();
          return response?.status;
        });
      }
      const seen = await poll(one);
      if (seen && ['completed', 'failed', 'cancelled'].includes(String(seen['status']))) {
        if (seen['status'] === 'completed')
          await download(one, seen['images'] as { filename: string; url: string }[]);
        return;
      }
      await sleep(250 + Math.random() * 200);
    }
  }

  async function poll(one: Submitted): Promise<Record<string, unknown> | undefined> {
    const sentAt = Date.now();
    const response = await call('GET', `/api/status/${one.jobId}`);
    const body = response && (await json(response));
    if (!body) return undefined;
    if (response.status !== 200) {
      one.problems.push(`status answered with ${response.status}: ${JSON.stringify(body)}`);
      return undefined;
    }
    one.observations.push({
      sentAt,
      receivedAt: Date.now(),
      status: String(body['status']),
      attempts: Number(body['attempts']),
      progress: Number(body['progress']),
      error: body['error'] as string | null,
      errorCode: body['error_code'] as string | null,
    });
    return body;
  }

  /** As a caller does: by the API or by the link that it gave. */
  async function download(one: Submitted, images: { filename: string; url: string }[]): Promise<void> {
    for (const [index, { filename, url }] of images.entries()) {
      const bytes = await again(async () => {
        if (index === 0) return whole(await call('GET', `/api/image/${filename}`));
        const fresh = await poll(one);
        const links = (fresh?.['images'] ?? []) as { url: string }[];
        return whole(
          await fetch(links[index]?.url ?? url, { signal: AbortSignal.timeout(4000) }).catch(() => undefined),
        );
      });
      if (!bytes) return;
      try {
        const { width, height } = PNG.sync.read(bytes);
        if (width !== one.ask.width || height !== one.ask.height)
          one.problems.push(`${filename} is ${width} × ${height}`);
        made.push({ name: filename, width, height });
        one.downloads += 1;
      } catch (error) {
        one.problems.push(`${filename} cannot be decoded: ${String(error)}`);
      }
    }
  }

  const done = Promise.all(
    submitted.map(async (one) => {
      await sleep(one.ask.at);
      await submit(one);
      if (one.jobId !== undefined) await follow(one);
    }),
  ).then(() => undefined);
  return { submitted, done, stop: () => stopped.abort() };
}

async function json(response: Response): Promise<Record<string, unknown> | undefined> {
  return response.json().then(
    (body) => body as Record<string, unknown>,
    () => undefined,
  );
}

async function whole(response: Response | undefined): Promise<Buffer | undefined> {
  if (response?.status !== 200) {
    await response?.body?.cancel();
    return undefined;
  }
  return response.arrayBuffer().then(
    (bytes) => Buffer.from(bytes),
    () => undefined,
  );
}
