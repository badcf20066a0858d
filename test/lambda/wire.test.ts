// ComfyUI's wire on AWS, for clients that poll: through CloudFront as the template has it, to the api's bundle, with a GPU host that
// the first job starts.

import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { picture, reading, small } from '../api/v2/support.ts';
import { templatesWith } from '../infra/synth.ts';
import { type BehindCloudFront, cloudFrontOf, startBehindCloudFront } from './behind-cloudfront.ts';
import { lacksRuntime, skipped } from './deployment.ts';

type History = Record<
  string,
  { outputs: Record<string, { images: Record<string, string>[] }>; status: { status_str: string } }
>;

type Init = Omit<RequestInit, 'headers'> & { headers?: Record<string, string> };

describe.skipIf(lacksRuntime)(`ComfyUI's wire through CloudFront${skipped}`, { timeout: 90_000 }, () => {
  let aws: BehindCloudFront;
  let headers: Record<string, string>;
  beforeAll(async () => {
    aws = await startBehindCloudFront();
    headers = { authorization: `Bearer ${await aws.keyOf('alice', ['generate', 'graphs', 'read'])}` };
  }, 120_000);
  afterAll(() => aws?.close());

  const ask = (path: string, init: Init = {}) =>
    fetch(`${aws.cloudFront.url}/comfyui${path}`, { ...init, headers: { ...headers, ...init.headers } });

  async function json<T>(path: string, init?: Init): Promise<T> {
    const answer = await ask(path, init);
    expect([path, answer.status]).toEqual([path, 200]);
    return (await answer.json()) as T;
  }

  function formOf(bytes: Uint8Array<ArrayBuffer>): FormData {
    const form = new FormData();
    form.append('image', new File([bytes], 'photo.png', { type: 'image/png' }));
    return form;
  }

  test('before the first host nothing is known of nodes, and a prompt is taken', async () => {
    expect(await json('/system_stats')).toMatchObject({ devices: [] });
    const unknown = await ask('/object_info');
    expect([unknown.status, await unknown.json()]).toMatchObject([503, { error: { type: 'nodes_unknown' } }]);
  });

  test('a whole job by polls: upload, prompt, queue, history, image', async () => {
    const { name } = await json<{ name: string }>('/upload/image', {
      method: 'POST',
      body: formOf(picture()),
    });
    const sent = randomUUID();
    const body = JSON.stringify({ prompt: reading(name), prompt_id: sent, client_id: 'polls' });
    // A client that lost the answer sends it again.
    for (const path of ['/prompt', '/api/prompt'])
      expect(await json(path, { method: 'POST', body })).toMatchObject({ prompt_id: sent });
    const queued = await json<Record<string, unknown[][]>>('/queue');
    expect([...queued['queue_running']!, ...queued['queue_pending']!].map(([, id]) => id)).toEqual([sent]);

    const entry = async () => (await json<History>(`/history/${sent}`))[sent];
    await expect.poll(entry, { timeout: 60_000, interval: 250 }).toBeDefined();
    const { outputs, status } = (await entry())!;
    expect(status.status_str).toBe('success');
    const [image] = Object.values(outputs).flatMap(({ images }) => images);
    const view = `/view?${new URLSearchParams(image).toString()}`;
    const whole = await ask(view);
    const bytes = Buffer.from(await whole.arrayBuffer());
    expect([whole.status, whole.headers.get('content-type'), bytes.toString('latin1', 1, 4)]).toEqual([
      200,
      'image/png',
      'PNG',
    ]);
    const part = await ask(view, { headers: { range: 'bytes=1-3' } });
    expect([part.status, part.headers.get('content-range'), await part.text()]).toEqual([
      206,
      `bytes 1-3/${bytes.length}`,
      'PNG',
    ]);
    const head = await ask(view, { method: 'HEAD' });
    expect([head.status, head.headers.get('accept-ranges'), await head.text()]).toEqual([200, 'bytes', '']);
    const same = await ask(view, { headers: { 'if-none-match': whole.headers.get('etag')! } });
    expect(same.status).toBe(304);

    const nodes = await json<Record<string, unknown>>('/object_info');
    expect(Object.keys(nodes)).toEqual(expect.arrayContaining(['KSampler', 'LoadImage', 'SaveImage']));
    const back = await ask('/view?filename=photo.png&type=input');
    expect([back.status, (await back.arrayBuffer()).byteLength > 0]).toEqual([200, true]);
  });

  test('a prompt that is taken out of the queue or interrupted ends', async () => {
    const { prompt_id: id } = await json<{ prompt_id: string }>('/prompt', {
      method: 'POST',
      body: JSON.stringify({ prompt: small('never mind') }),
    });
    await ask('/queue', { method: 'POST', body: JSON.stringify({ delete: [id] }) });
    await ask('/interrupt', { method: 'POST', body: JSON.stringify({ prompt_id: id }) });
    const ended = async () => (await aws.deployment.behind.jobs.readState(id))?.status;
    await expect.poll(ended, { timeout: 20_000 }).toMatch(/^(cancelled|completed)$/);
  });

  test.each<[string, string, Init, number, string]>([
    ['a socket', '/ws?clientId=polls', {}, 501, 'no_websocket'],
    ['an unknown address', '/internal/logs', {}, 404, 'route_not_found'],
    ['a wrong method', '/view', { method: 'POST' }, 405, 'method_not_allowed'],
    ['a prompt that is none', '/prompt', { method: 'POST', body: '{}' }, 400, 'no_prompt'],
    ['a wrong key', '/queue', { headers: { authorization: 'Bearer wrong' } }, 401, 'unauthorized'],
  ])('%s is refused in ComfyUI’s shape, and not kept on the way', async (_, path, init, status, type) => {
    for (const _time of ['first', 'again']) {
      const answer = await ask(path, init);
      expect([answer.status, await answer.json()]).toMatchObject([
        status,
        { error: { type }, node_errors: {} },
      ]);
      expect(answer.headers.get('age')).toBe(null);
    }
  });

  test('HEAD of what is not there has an end', async () => {
    const answer = await ask('/view?filename=none.png', { method: 'HEAD' });
    expect([answer.status, await answer.text()]).toEqual([404, '']);
  });

  test('a key without the scope graphs reads, and sends no prompt', async () => {
    const authorization = `Bearer ${await aws.keyOf('bob', ['generate', 'read'])}`;
    const body = JSON.stringify({ prompt: small('not allowed') });
    const refused = await ask('/prompt', { method: 'POST', body, headers: { authorization } });
    expect([refused.status, await refused.json()]).toMatchObject([403, { error: { type: 'forbidden' } }]);
    // Another owner's history is not his.
    expect(await json('/history', { headers: { authorization } })).toEqual({});
  });

  test('a file of 7 MB does not pass the Function URL; it names the size that does', async () => {
    const answer = await ask('/upload/image', { method: 'POST', body: formOf(randomBytes(7_000_000)) });
    expect([answer.status, await answer.json()]).toMatchObject([
      413,
      { Message: expect.any(String) as string },
    ]);
    const { max_upload_size: most } = await json<{ max_upload_size: number }>('/features');
    const passes = await ask('/upload/image', { method: 'POST', body: formOf(randomBytes(most)) });
    expect(passes.status).toBe(200);
  });

  test('with comfyuiApi false it is not there', async () => {
    const { compute } = templatesWith({ comfyuiApi: false });
    const [polled] = Object.values(compute.findResources('AWS::Lambda::Function')).flatMap(
      ({ Properties }) => (Properties as Deployed).Environment?.Variables['COMFYUI_API_POLLED'] ?? [],
    );
    const api = await aws.deployment.start('api', { COMFYUI_API_POLLED: polled as string });
    const without = await cloudFrontOf(aws.deployment, compute, api);
    const answer = await fetch(`${without.url}/comfyui/queue`, { headers });
    expect([answer.status, await answer.json()]).toMatchObject([404, { code: 'route_not_found' }]);
    await without.close();
  });
});

interface Deployed {
  Environment?: { Variables: Record<string, unknown> };
}
