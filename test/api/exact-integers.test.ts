// A whole number of a caller or a template is the same one in ComfyUI, in every answer and in a webhook, whatever its
// size: ComfyUI's seeds have 64 bits, a JavaScript number 53.

import { afterEach, beforeEach, expect, test } from 'vitest';
import { parseJson } from '../../functions/core/json.ts';
import type { Graph } from '../../functions/core/object-info.ts';
import { parseTemplate } from '../../functions/core/template.ts';
import { type RigBetween, startBetween } from '../support/between.ts';
import { payloadOf } from '../../functions/webhooks/payload.ts';
import { startRig } from '../support/rig.ts';
import { eventually } from './support.ts';

const LONG = '13520934829384756123';

/** As a file says it: a seed in the graph that nobody may set, and one that a caller may. */
const TEMPLATE = parseTemplate(
  'exact',
  parseJson(
    `{"1":{"class_type":"EmptyImage","inputs":{"width":64,"height":64,"batch_size":1,"color":0}},
      "2":{"class_type":"SaveImage","inputs":{"images":["1",0],"filename_prefix":"exact"}},
      "3":{"class_type":"RandomNoise","inputs":{"noise_seed":9223372036854775807}},
      "4":{"class_type":"RandomNoise","inputs":{"noise_seed":${LONG}}}}`,
  ),
  parseJson(
    `{"title":"Exact","inputs":{
       "prompt":{"type":"string","default":""},
       "any":{"type":"number","default":1},
       "seed":{"type":"seed","to":"4.noise_seed"},
       "count":{"type":"integer","default":-9007199254740993,"minimum":-9223372036854775808,"to":"3.noise_seed"}}}`,
  ),
);

let rig: RigBetween;
let posted: string[];
beforeEach(async () => {
  rig = await startBetween();
  rig.templates.set('exact', TEMPLATE);
  posted = [];
  rig.between.answer = (request, _response, body) => {
    if (request.url === '/prompt' && request.method === 'POST') posted.push(body.toString());
    return false;
  };
});
afterEach(() => rig.close());

/** The answer's own text: `JSON.parse` would round what it is about. */
async function ask(route: string, body?: string): Promise<{ status: number; text: string }> {
  const [method, path] = route.split(' ') as [string, string];
  const answer = await rig.app.request(path, {
    method,
    ...(body !== undefined && { body, headers: { 'content-type': 'application/json' } }),
  });
  return { status: answer.status, text: await answer.text() };
}

const graphsOf = () => posted.map((text) => (parseJson(text) as { prompt: Graph }).prompt);

test.each([LONG, '18446744073709551615', '9007199254740993'])(
  'the seed %s reaches ComfyUI and comes back, sent as a number or as text',
  async (seed) => {
    await rig.addHost({ comfyui: rig.between.comfyui });
    for (const sent of [seed, `"${seed}"`]) {
      const accepted = await ask('POST /api/generate', `{"workflow":"exact","seed":${sent}}`);
      expect([accepted.status, accepted.text]).toEqual([202, expect.stringContaining(`"seed":${seed},`)]);
      const { job_id: jobId } = JSON.parse(accepted.text) as { job_id: string };
      await rig.until(jobId, ['completed']);
      const { text } = await ask(`GET /api/status/${jobId}`);
      expect(text).toContain(`"seed":${seed},"seed_text":"${seed}"`);
      expect((await ask(`GET /api/status/${jobId}/events`)).text).toContain(`"seed":${seed},`);
      expect((await ask('GET /api/history')).text).toContain(`"noise_seed":${seed}}`);
    }
    expect(
      graphsOf().map((graph) => [graph['4']!.inputs['noise_seed'], graph['3']!.inputs['noise_seed']]),
    ).toEqual(Array.from({ length: 2 }, () => [BigInt(seed), -9007199254740993n]));
  },
);

test('one that waits is shown in the queue, and told to a webhook', async () => {
  const { text } = await ask('POST /api/generate', `{"workflow":"exact","seed":${LONG}}`);
  expect((await ask('GET /api/queue')).text).toContain(`"seed":${LONG},`);
  const job = await rig.store.jobs.read((JSON.parse(text) as { job_id: string }).job_id);
  expect(payloadOf({ ...job!, state: { ...job!.state, status: 'completed' } })).toContain(`"seed":${LONG},`);
});

test('what is past 64 bits, or no longer exact, is refused by name', async () => {
  for (const seed of ['18446744073709551616', '"18446744073709551616"', '1.5e19', '-1', '1e400', '0.5'])
    expect(await ask('POST /api/generate', `{"workflow":"exact","seed":${seed}}`)).toEqual({
      status: 400,
      text: expect.stringContaining('from 0 to 18446744073709551615') as string,
    });
  expect((await ask('POST /api/generate', '{"workflow":"exact","count":1e300}')).text).toContain(
    'count must be a whole number of at least -9223372036854775808',
  );
});

test.each(['1e300', '"1e200"', '9'.repeat(60), '9'.repeat(400), '1e-300', '1e38'])(
  'the number %s, which the table cannot keep, is refused by name',
  async (any) => {
    const { status, text } = await ask('POST /api/generate', `{"workflow":"exact","any":${any}}`);
    expect([status, text]).toEqual([400, expect.stringContaining('Invalid field: any must be')]);
  },
);

test('what else is a number is taken, and kept', async () => {
  const quiet = await startRig({ forward: false });
  try {
    quiet.templates.set('exact', TEMPLATE);
    for (const any of ['1e16', '9007199254740993.0', '1e36', '-1e22', '1e-100', '0.1']) {
      const jobId = await quiet.generate({ workflow: 'exact', any });
      expect(Number((await quiet.store.jobs.readRequest(jobId))!.inputs['any'])).toBe(Number(any));
    }
  } finally {
    await quiet.close();
  }
});

test('the schema of a workflow and the OpenAPI document say the bounds to the last digit', async () => {
  const { text } = await ask('GET /api/workflows/exact');
  expect(text).toContain('"minimum":0,"maximum":18446744073709551615');
  expect(text).toContain('"default":-9007199254740993,"minimum":-9223372036854775808');
  expect((await ask('GET /openapi.json')).text).toContain('"maximum":18446744073709551615');
});

test('the same key with the same long seed is the same job, with the next one it is not', async () => {
  const headers = { 'content-type': 'application/json', 'idempotency-key': 'k' };
  const post = (seed: string) =>
    rig.app.request('/api/generate', {
      method: 'POST',
      headers,
      body: `{"workflow":"exact","seed":${seed}}`,
    });
  expect((await post(LONG)).status).toBe(202);
  expect((await post(LONG)).status).toBe(202);
  expect((await post(String(BigInt(LONG) + 1n))).status).toBe(422);
});

test('a body of many digits that is nested without end is refused, not a mistake of ours', async () => {
  const deep = `{"a":${'['.repeat(50_000)}12345678901234567890${']'.repeat(50_000)}}`;
  expect((await ask('POST /api/generate', deep)).status).toBe(400);
  const twice = await ask('POST /api/generate', `{"workflow":"exact","seed":1,"seed":${LONG}}`);
  expect([twice.status, twice.text]).toEqual([202, expect.stringContaining(LONG)]);
});

test('a seed that is drawn fits a number: every client can read it', async () => {
  await eventually('a seed', async () => {
    const { text } = await ask('POST /api/generate', '{"workflow":"exact"}');
    return Number.isSafeInteger((JSON.parse(text) as { seed: number }).seed);
  });
});
