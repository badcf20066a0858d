// The api's bundle under the real runtime client, with events as a Function URL sends them.

import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { drawKey } from '../../functions/core/access.ts';
import { cancel, claim, complete } from '../../functions/core/job.ts';
import { imageName, keys } from '../../functions/core/names.ts';
import { eventsOf } from '../api/event-reader.ts';
import { type Gate, startGate } from './gate.ts';
import {
  answerOf,
  bytesOf,
  call,
  callJson,
  recorded,
  urlEvent,
  type HttpEvent,
  type UrlRequest,
} from './function-url.ts';
import type { Runtime } from './runtime-api.ts';
import { metricsOf, skipped, lacksRuntime, startDeployment, type Deployment } from './deployment.ts';

const BODY = { path: '/api/generate', method: 'POST', body: '{"prompt":"a red fox"}' };
const IMAGE = randomBytes(3_000_000);

describe.skipIf(lacksRuntime)(`the api as a Lambda${skipped}`, () => {
  let deployment: Deployment;
  let gate: Gate;
  let api: Runtime;
  beforeAll(async () => {
    deployment = await startDeployment();
    gate = await startGate(deployment.storage.s3Endpoint);
    api = await deployment.start('api', { AWS_ENDPOINT_URL_S3: gate.url });
    await api.ready;
  });
  afterAll(async () => {
    await gate?.close();
    await deployment?.close();
  });

  async function accepted(): Promise<string> {
    const { body } = await callJson(api, BODY);
    return String(body['job_id']);
  }

  /** A job that a host has finished: its image is `IMAGE`. */
  async function completed(): Promise<string> {
    const { jobs, images, now } = deployment.behind;
    const jobId = await accepted();
    const filename = imageName('Flux2_Turbo', jobId, 1, 'png');
    const key = keys.image(jobId, 1, filename);
    const { sizeBytes } = await images.put(key, IMAGE, { contentType: 'image/png' });
    const waiting = (await jobs.readState(jobId))!;
    expect(await jobs.write(jobId, claim(waiting, 'host', now(), true))).toBe(true);
    const image = { filename, node: '9', width: 1, height: 1, sizeBytes, contentType: 'image/png' };
    const held = (await jobs.readState(jobId))!;
    const end = complete(
      held,
      { attempt: 1, host: 'host' },
      [image],
      { currentStep: 8, totalSteps: 8 },
      now(),
    );
    expect(await jobs.write(jobId, end)).toBe(true);
    return filename;
  }

  test('a graph is a job too: the Comfy API v2 is loaded when it is first asked for', async () => {
    const workflow = { '1': { class_type: 'EmptyImage', inputs: { width: 64, height: 64 } } };
    const { status, body } = await callJson(api, {
      path: '/api/v2/jobs',
      method: 'POST',
      body: JSON.stringify({ workflow, metadata: { from: 'lambda' } }),
    });
    expect({ status, body }).toMatchObject({ status: 201, body: { status: 'queued' } });
    const read = await callJson(api, { path: `/api/v2/jobs/${String(body['id'])}/workflow` });
    expect(read).toMatchObject({ status: 200, body: { workflow, format: 'api' } });
    expect(await callJson(api, { path: '/api/v2/jobs/x' })).toMatchObject({
      status: 404,
      body: { error: { code: 'not_found' } },
    });
  });

  test('a request that was recorded is a job in the table', async () => {
    const { status, body, headers } = await callJson(api, BODY);
    expect(status).toBe(202);
    expect(headers['content-type']).toContain('application/json');
    expect(body).toMatchObject({ status: 'queued', prompt: 'a red fox' });
    const jobId = String(body['job_id']);
    expect(await deployment.behind.jobs.readState(jobId)).toMatchObject({
      jobId,
      status: 'queued',
      work: 'waiting',
    });
    const read = await callJson(api, { path: `/api/status/${jobId}` });
    expect(read).toMatchObject({ status: 200, body: { job_id: jobId, status: 'queued', progress: 0 } });
  });

  test('a body in base64 is the same body', async () => {
    expect(await callJson(api, { ...BODY, body: Buffer.from(BODY.body) })).toMatchObject({
      status: 202,
      body: { prompt: 'a red fox' },
    });
  });

  test('the page that describes it, and what the page consists of, lie beside the bundle', async () => {
    const keyless = { 'x-api-key': undefined };
    const described = await callJson(api, {
      path: '/openapi.json',
      headers: { ...keyless, 'accept-encoding': '' },
    });
    expect(described).toMatchObject({
      status: 200,
      body: { openapi: '3.1.1', components: { securitySchemes: {} } },
    });
    const page = await call(api, { path: '/docs', headers: { ...keyless, 'accept-encoding': '' } });
    expect((await bytesOf(page.body)).toString()).toContain('docs/swagger-ui-bundle.js');
    const script = await call(api, { path: '/docs/swagger-ui-bundle.js', headers: keyless });
    expect((await bytesOf(script.body)).toString()).toContain('SwaggerUIBundle');
    expect(await callJson(api, { path: '/api/queue', headers: keyless })).toMatchObject({ status: 401 });
  });

  test('nothing is compressed, whatever the caller takes: a Function URL that streams undoes it', async () => {
    for (const path of ['/docs', '/docs/swagger-ui-bundle.js', '/openapi.json', '/api/workflows']) {
      const headers = { 'accept-encoding': 'gzip, br' };
      const answer = await call(api, { path, headers });
      const bytes = await bytesOf(answer.body);
      expect([path, answer.status, answer.headers['content-encoding']]).toEqual([path, 200, undefined]);
      expect([path, bytes.subarray(0, 2).toString('hex')]).not.toEqual([path, '1f8b']);
    }
  });

  test('an image is streamed: its beginning is there before the bucket has sent its end', async () => {
    const filename = await completed();
    gate.holdAfter(1_000_000);
    const { status, headers, body } = await call(api, { path: `/api/image/${filename}` });
    expect(status).toBe(200);
    expect(headers).toMatchObject({
      'content-type': 'image/png',
      'content-length': String(IMAGE.length),
      'content-disposition': `inline; filename="${filename}"`,
      'accept-ranges': 'bytes',
      'cache-control': 'private, max-age=31536000, immutable',
    });
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of body) {
      chunks.push(chunk);
      size += chunk.length;
      if (size > 500_000) gate.open();
    }
    expect(Buffer.concat(chunks).equals(IMAGE)).toBe(true);
  });

  test('an image whose bucket breaks off is not passed off as whole, and the next request is answered', async () => {
    const filename = await completed();
    gate.holdAfter(1_000_000);
    const { headers, body, trailers } = await call(api, { path: `/api/image/${filename}` });
    let size = 0;
    const read = (async () => {
      for await (const chunk of body) {
        size += chunk.length;
        if (size > 500_000) gate.cut();
      }
      return trailers()['lambda-runtime-function-error-type'] ?? 'as if nothing had happened';
    })();
    const end = await read.catch((error: unknown) => `broken: ${(error as Error).message}`);
    expect(end).not.toBe('as if nothing had happened');
    expect(size).toBeLessThan(Number(headers['content-length']));
    expect(await callJson(api, { path: '/api/workflows' })).toMatchObject({ status: 200 });
  });

  test('a stream of events says what is known and when to come again: nothing is held', async () => {
    const path = `/api/status/${await accepted()}/events`;
    const { status, headers, body } = await call(api, { path });
    expect(status).toBe(200);
    expect(headers).toMatchObject({
      'content-type': expect.stringContaining('text/event-stream'),
      'strict-transport-security': 'max-age=31536000',
    });
    const [event, retry, ...more] = await eventsOf(new Response(ReadableStream.from(body))).rest();
    expect(event).toMatchObject({ event: 'status', data: { status: 'queued' } });
    expect([retry, more]).toEqual([{ retry: 2000 }, []]);
    const from = performance.now();
    expect(await callJson(api, { path: path.replace('/events', ''), query: 'wait=25' })).toMatchObject({
      status: 200,
      body: { status: 'queued' },
    });
    expect(performance.now() - from).toBeLessThan(5000);
  });

  test('with OPEN_CONNECTIONS events are streamed as they happen', async () => {
    const holding = await deployment.start('api', { OPEN_CONNECTIONS: '1' });
    const jobId = await accepted();
    const { body } = await call(holding, { path: `/api/status/${jobId}/events` });
    const events = eventsOf(new Response(ReadableStream.from(body)));
    expect((await events.nextTold())?.data).toMatchObject({ status: 'queued' });
    expect(await deployment.behind.jobs.write(jobId, cancel(deployment.behind.now()))).toBe(true);
    expect((await events.nextTold())?.data).toMatchObject({ status: 'cancelled' });
    expect(await events.next()).toBeUndefined();
    expect(await callJson(holding, { path: '/api/workflows' })).toMatchObject({ status: 200 });
  });

  test('a link points to the bucket itself', async () => {
    const filename = await completed();
    const { status, headers } = await callJson(api, { path: `/api/image/${filename}`, query: 'redirect=1' });
    expect(status).toBe(302);
    expect(headers['location']).toMatch(
      /^https:\/\/images\.s3\.local\.amazonaws\.com\/images\/.*X-Amz-Signature=/,
    );
  });

  test.each([
    ['no such job', { path: '/api/status/0198c0de-0000-8000-8000-00000000000a' }, 404, 'job_not_found'],
    ['no such image', { path: `/api/image/x_${'0'.repeat(32)}_00001_.png` }, 404, 'image_not_found'],
    ['no such address', { path: '/api/nothing' }, 404, 'route_not_found'],
    ['a wrong method', { path: '/api/generate' }, 405, 'method_not_allowed'],
    ['no JSON', { ...BODY, body: 'a red fox' }, 400, 'invalid_json'],
    ['no prompt', { ...BODY, body: '{}' }, 400, 'missing_field'],
  ])('%s', async (_, request, status, code) => {
    const answer = await callJson(api, request);
    expect(answer).toMatchObject({ status, body: { code } });
    expect(answer.body['error']).toMatch(/^[A-Z].+/);
  });

  test.each([
    ['without the origin secret', { 'x-origin-secret': undefined }],
    ['with another one', { 'x-origin-secret': 'origin-secret-of-at-least-32-character!' }],
    ['with an empty one', { 'x-origin-secret': '' }],
  ])('a request %s is refused, whatever it asks for', async (_, headers) => {
    for (const request of [BODY, { path: '/api/health' }, { path: '/api/generate', method: 'OPTIONS' }])
      expect(await callJson(api, { ...request, headers })).toMatchObject({
        status: 403,
        body: { error: "Use the API's public address", code: 'not_through_cloudfront' },
      });
  });

  test('while new secrets take the place of old ones both are taken, and no third', async () => {
    const older = (secret: string) => `older-${secret}`;
    const { ORIGIN_SECRET, API_KEY } = deployment.environment;
    const rotating = await deployment.start('api', {
      ORIGIN_SECRET_PREVIOUS: older(ORIGIN_SECRET!),
      API_KEY_PREVIOUS: older(API_KEY!),
    });
    const statusOf = async (origin: string, key: string) =>
      (
        await callJson(rotating, {
          path: '/api/workflows',
          headers: { 'x-origin-secret': origin, 'x-api-key': key },
        })
      ).status;
    for (const origin of [ORIGIN_SECRET!, older(ORIGIN_SECRET!)])
      for (const key of [API_KEY!, older(API_KEY!)]) expect(await statusOf(origin, key)).toBe(200);
    expect(await statusOf(older(older(ORIGIN_SECRET!)), API_KEY!)).toBe(403);
    expect(await statusOf(ORIGIN_SECRET!, older(older(API_KEY!)))).toBe(401);
  });

  test('where the Function URL is the address, nobody needs an origin secret, and everybody a key', async () => {
    const open = await deployment.start('api', { ORIGIN_SECRET: 'none' });
    const headers = { 'x-origin-secret': undefined };
    expect(await callJson(open, { path: '/api/workflows', headers })).toMatchObject({ status: 200 });
    const keyless = { ...headers, 'x-api-key': undefined };
    expect(await callJson(open, { path: '/api/workflows', headers: keyless })).toMatchObject({ status: 401 });
  });

  test.each([
    [
      'no API key',
      { 'x-api-key': undefined },
      'Send the API key with the header Authorization: Bearer <key> or X-API-Key: <key>',
      'Bearer realm="comfyui"',
    ],
    [
      'a wrong API key',
      { 'x-api-key': 'api-key-of-at-least-32-characters-herE' },
      'This API key is not valid',
      'Bearer realm="comfyui", error="invalid_token"',
    ],
    [
      'the key by another scheme',
      { 'x-api-key': undefined, authorization: 'Basic api-key-of-at-least-32-characters-here' },
      'Send the API key with the header Authorization: Bearer <key> or X-API-Key: <key>',
      'Bearer realm="comfyui"',
    ],
  ])(
    '%s is refused at every address, in a way that a browser can read',
    async (_, headers, error, challenge) => {
      for (const request of [BODY, { path: '/api/health' }, { path: '/api/nothing' }]) {
        const answer = await callJson(api, { ...request, headers });
        expect(answer).toMatchObject({ status: 401, body: { error, code: 'unauthorized' } });
        expect(answer.headers).toMatchObject({
          'www-authenticate': challenge,
          'access-control-allow-origin': '*',
        });
      }
    },
  );

  test('the API key is taken as a bearer token', async () => {
    const headers = {
      'x-api-key': undefined,
      authorization: 'bearer api-key-of-at-least-32-characters-here',
    };
    expect(await callJson(api, { path: '/api/health', headers })).toMatchObject({ status: 200 });
  });

  test('a key that was drawn is its owner’s, until it is revoked; the deployment’s own sees all', async () => {
    const { keys: table, jobs, now } = deployment.behind;
    const { key, keyId, hash } = drawKey(randomBytes);
    const whose = { name: 'alice', owner: 'alice', scopes: ['generate' as const, 'read' as const] };
    await table.add({ keyId, hash, ...whose, createdAt: now() });
    const accepted = await callJson(api, { ...BODY, headers: { 'x-api-key': key } });
    expect(accepted.status).toBe(202);
    const { job_id: jobId } = accepted.body as { job_id: string };
    expect(await jobs.readState(jobId)).toMatchObject({ owner: 'alice' });
    const path = `/api/status/${jobId}`;
    expect((await callJson(api, { path, headers: { 'x-api-key': key } })).status).toBe(200);
    expect((await callJson(api, { path })).status).toBe(200);
  });

  describe('an answer without a body has a byte of it, or its end may never come', () => {
    const origin = { origin: 'https://example.com', 'access-control-request-method': 'POST' };
    test.each<[string, () => UrlRequest | Promise<UrlRequest>, number]>([
      ['a preflight', () => ({ path: '/api/generate', method: 'OPTIONS', headers: origin }), 204],
      ['HEAD', () => ({ path: '/api/workflows', method: 'HEAD' }), 200],
      ['HEAD of an image', async () => ({ path: `/api/image/${await completed()}`, method: 'HEAD' }), 200],
      ['HEAD of what is not there', () => ({ path: '/api/nothing', method: 'HEAD' }), 404],
      ['what the caller has', async () => ({ path: '/docs', headers: { 'if-none-match': '*' } }), 304],
      ['a link', async () => ({ path: `/api/image/${await completed()}`, query: 'redirect=1' }), 302],
    ])('%s', async (_, request, expected) => {
      const { status, body } = await call(api, await request());
      const bytes = await bytesOf(body);
      expect([status, bytes.toString()]).toEqual([expected, '\n']);
    });

    test('and one that has a body has no byte more', async () => {
      const { body, headers } = await call(api, { path: '/docs' });
      expect((await bytesOf(body)).length).toBe(Number(headers['content-length']));
    });
  });

  test("a browser's preflight needs no key", async () => {
    const headers = {
      'x-api-key': undefined,
      origin: 'https://example.com',
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'content-type,x-api-key',
    };
    const answer = await callJson(api, { path: '/api/generate', method: 'OPTIONS', headers });
    expect(answer.status).toBe(204);
    expect(answer.headers['access-control-allow-origin']).toBe('*');
    expect(answer.headers['access-control-allow-headers']).toMatch(/x-api-key/i);
    expect(answer.headers['access-control-allow-methods']).toContain('POST');
  });

  test('a body with broken base64 is the sender’s fault, and stores nothing', async () => {
    for (const body of ['%%%', 'eyJwcm9tcHQiOiJ4In', 'eyJw cm9tcHQiOiJ4In0=']) {
      const event = { ...urlEvent(BODY), body, isBase64Encoded: true };
      const before = (await deployment.behind.jobs.listWork('waiting', 1000)).length;
      const answer = await answerJson(event);
      expect(answer).toMatchObject({ status: 400, body: { code: 'bad_body' } });
      expect((await deployment.behind.jobs.listWork('waiting', 1000)).length).toBe(before);
    }
  });

  async function answerJson(event: HttpEvent) {
    const { status, body } = await answerOf(await api.invoke(event));
    return { status, body: JSON.parse((await bytesOf(body)).toString()) as unknown };
  }

  test.each([
    ['a schedule', recorded('schedule'), 'an event of aws.events'],
    ['a stream', recorded('stream'), 'records of aws:dynamodb'],
    ['nothing', {}, 'an event of another kind'],
    [
      'a request of payload format 1.0',
      { version: '1.0', httpMethod: 'GET', path: '/', requestContext: {} },
      'an HTTP request',
    ],
  ])('%s at this handler is an error that says so, not a missing page', async (_, event, what) => {
    const answer = await api.invoke(event);
    if (answer.kind !== 'stream') throw new Error('the runtime client streams');
    expect((await bytesOf(answer.body)).toString()).toBe('');
    const said = Buffer.from(answer.trailers()['lambda-runtime-function-error-body'] ?? '', 'base64');
    expect(JSON.parse(said.toString())).toMatchObject({
      errorMessage: expect.stringContaining(`payload format 2.0, not ${what}`) as string,
    });
    expect(await callJson(api, { path: '/api/workflows' })).toMatchObject({ status: 200 });
  });

  test('a table that does not answer is a 503, counted as failed', async () => {
    const deaf = await deployment.start('api', { AWS_ENDPOINT_URL_DYNAMODB: 'http://127.0.0.1:1' });
    const answer = await callJson(deaf, { path: '/api/status/0198c0de-0000-8000-8000-00000000000a' });
    expect(answer).toMatchObject({ status: 503, body: { code: 'unavailable' } });
    await expect.poll(() => metricsOf(deaf)).toMatchObject([{ cold_starts: 1 }, { requests_failed: 1 }]);
  });

  test('what it measures is printed, and neither prompts nor secrets are', async () => {
    const jobId = await accepted();
    const accepting = expect.objectContaining({ jobs_accepted: 1, jobId }) as unknown;
    await expect.poll(() => metricsOf(api)).toContainEqual(accepting);
    const [first, ...rest] = metricsOf(api);
    expect(first).toMatchObject({ service: 'api', cold_starts: 1, init_time: expect.any(Number) as number });
    expect(rest.filter((line) => 'requests_failed' in line)).toEqual([]);
    const said = api.program.output();
    expect(said).not.toContain('red fox');
    expect(said).not.toContain(deployment.environment['API_KEY']);
    expect(said).not.toContain(deployment.environment['ORIGIN_SECRET']);
  });
});
