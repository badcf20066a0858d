// Workflows that are added over the API: from a file to a proposal, to the folder, to a job, and out again.

import { chmod, cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MAX_WORKFLOW_FILE_BYTES } from '../../functions/core/limits.ts';
import { createLog } from '../../functions/log.ts';
import { type FollowedWorkflows, followWorkflows } from '../../functions/runtime/followed-workflows.ts';
import { loadTemplates } from '../../functions/runtime/workflows.ts';
import { type Rig, startRig } from '../support/rig.ts';
import { canvas, field, gives, takes } from '../core/workflow-file/files.ts';
import { anotherProcess, call, type Json } from './support.ts';

let folder: string;
let rig: Rig;
let workflows: FollowedWorkflows;
let app: Rig['app'];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'workflows-'));
  await cp('test/workflows', folder, { recursive: true });
  rig = await startRig();
  await rig.addHost();
  workflows = await followWorkflows(folder, createLog('test', 'error'), 60_000);
  app = anotherProcess(rig, { workflows });
});
afterAll(async () => {
  await workflows.stop();
  await rig.close();
  await rm(folder, { recursive: true });
});

/** A colour, saved; the second node as a canvas has it. */
const drawn = canvas(
  [
    {
      id: 1,
      type: 'EmptyImage',
      outputs: [gives('IMAGE', 1)],
      inputs: [field('width', 'INT'), field('height', 'INT')],
      widgets_values: [64, 64, 1, 255],
    },
    { id: 2, type: 'SaveImage', inputs: [takes('images', 'IMAGE', 1)], widgets_values: ['Blue'] },
  ],
  [[1, 1, 0, 2, 0, 'IMAGE']],
);
const propose = (body: RequestInit['body'], type = 'application/json') =>
  call(app, 'POST /api/workflows/propose', { body, headers: { 'content-type': type } });
const save = (name: string, json: Json) => call(app, `POST /api/workflows/${name}`, { json });
const graph = {
  '1': { class_type: 'EmptyImage', inputs: { width: 64, height: 64, batch_size: 1, color: 255 } },
  '2': { class_type: 'SaveImage', inputs: { images: ['1', 0], filename_prefix: 'Blue' } },
};
const inputs_file = {
  title: 'Blue',
  inputs: { width: { type: 'integer', default: 64, minimum: 64, maximum: 128, to: '1.width' } },
};

describe('from a file to a job', () => {
  test('a canvas is proposed, saved as it is proposed, and used at once', async () => {
    const { status, json } = await propose(JSON.stringify(drawn));
    expect(status).toBe(200);
    expect(json).toMatchObject({
      kind: 'canvas',
      faults: [],
      refused: [],
      missing: [],
      hosts: [expect.any(String)],
    });
    expect(json['graph']).toMatchObject({ '2': { inputs: { images: ['1', 0] } } });
    expect((json['inputs_file'] as Json)['inputs']).toMatchObject({ width: { default: 64, to: '1.width' } });

    const saved = await save('blue', { graph: json['graph'], inputs_file: json['inputs_file'] });
    expect([saved.status, saved.json]).toEqual([
      200,
      { name: 'blue', replaced: false, kept_translations: [] },
    ]);
    const accepted = await call(app, 'POST /api/generate', { json: { workflow: 'blue', width: 128 } });
    expect(accepted.status).toBe(202);
    expect((await loadTemplates(folder)).get('blue')?.graph).toEqual(
      expect.objectContaining({ '1': expect.anything() }),
    );
  });

  test('what is wrong is answered with it: faults by node, and what the hosts do not have', async () => {
    const odd = canvas(
      [
        { id: 1, type: 'NoSuchNode', title: 'Mine' },
        { id: 2, type: 'SaveImage', inputs: [takes('images', 'IMAGE', 9)] },
      ],
      [],
    );
    const { json } = await propose(JSON.stringify(odd));
    expect(json['faults']).toMatchObject([
      { code: 'unknown_node', node: '1', title: 'Mine', class_type: 'NoSuchNode', field: null },
      { code: 'bad_link', node: '2', field: 'images' },
    ]);
    expect(json['missing']).toMatchObject([{ node: '1', class_type: 'NoSuchNode' }]);
    expect(json['hosts']).toEqual([]);
  });

  test.each([
    ['no workflow', '{"a":1}', 400, 'bad_workflow'],
    ['no JSON', 'x', 400, 'bad_workflow'],
    ['too large', ' '.repeat(MAX_WORKFLOW_FILE_BYTES + 1), 413, 'body_too_large'],
  ])('%s is refused', async (_, body, status, code) => {
    const answer = await propose(body, 'image/png');
    expect([answer.status, answer.json]).toMatchObject([status, { code }]);
  });
});

describe('saving', () => {
  test('one that is there is replaced only if that is asked for', async () => {
    await save('twice', { graph, inputs_file });
    const again = await save('twice', { graph, inputs_file });
    expect([again.status, again.json]).toMatchObject([409, { code: 'workflow_exists' }]);
    const titled = { ...inputs_file, title: 'Bluer' };
    expect((await save('twice', { graph, inputs_file: titled, replace: true })).json).toMatchObject({
      replaced: true,
    });
    expect((await call(app, 'GET /api/workflows/twice')).json).toMatchObject({ title: 'Bluer' });
  });

  test('translations of what is replaced stay, of inputs that are still there', async () => {
    const height = { type: 'integer', default: 64, to: '1.height' };
    const german = { title: 'Blau', inputs: { width: { title: 'Breite' }, height: { title: 'Höhe' } } };
    const both = {
      ...inputs_file,
      language: 'en',
      inputs: { ...inputs_file.inputs, height },
      translations: { de: german, 'pt-BR': { title: 'Azul' } },
    };
    const { json } = await save('kept', { graph, inputs_file: both });
    expect(json['kept_translations']).toEqual([]);
    const replaced = await save('kept', { graph, inputs_file, replace: true });
    expect([replaced.status, replaced.json['kept_translations']]).toEqual([200, ['de', 'pt-BR']]);
    const read = async () =>
      JSON.parse(await readFile(join(folder, 'kept.inputs.json'), 'utf8')) as Record<string, unknown>;
    expect(await read()).toEqual({
      ...inputs_file,
      language: 'en',
      translations: {
        de: { title: 'Blau', inputs: { width: { title: 'Breite' } } },
        'pt-BR': { title: 'Azul', inputs: {} },
      },
    });
    const { json: shown } = await call(app, 'GET /api/workflows/kept', {
      headers: { 'accept-language': 'de' },
    });
    expect(shown).toMatchObject({ title: 'Blau', inputs: { properties: { width: { title: 'Breite' } } } });

    // It says itself that there are none.
    await save('kept', { graph, inputs_file: { ...inputs_file, translations: {} }, replace: true });
    expect(await read()).toEqual({ ...inputs_file, translations: {} });
    expect((await save('kept', { graph, inputs_file, replace: true })).json['kept_translations']).toEqual([]);
  });

  test('of two of one name at once, one is refused', async () => {
    const answers = await Promise.all([1, 2].map(() => save('twins', { graph, inputs_file })));
    expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([200, 409]);
  });

  test('no half of one is left, and many at once are all there', async () => {
    const names = Array.from({ length: 8 }, (_, index) => `many_${index}`);
    await Promise.all(names.map((name) => save(name, { graph, inputs_file })));
    expect((await call(app, 'GET /api/workflows')).json['workflows']).toEqual(expect.arrayContaining(names));
    const files = await readdir(folder);
    expect(files.filter((file) => file.startsWith('.'))).toEqual([]);
    expect(JSON.parse(await readFile(join(folder, 'many_7.inputs.json'), 'utf8'))).toEqual(inputs_file);
  });

  test('whole numbers of 64 bits stay exact', async () => {
    const text = JSON.stringify({ graph, inputs_file }).replace(
      '"color":255',
      '"color":18446744073709551615',
    );
    await call(app, 'POST /api/workflows/exact', {
      body: text,
      headers: { 'content-type': 'application/json' },
    });
    expect(await readFile(join(folder, 'exact.json'), 'utf8')).toContain('"color":18446744073709551615');
  });

  test.each<[string, string, Json, number, string]>([
    ['a name that is none', 'Blue.2', { graph, inputs_file }, 400, 'invalid_field'],
    ['the name of a route', 'propose', { graph, inputs_file }, 400, 'bad_workflow'],
    [
      'an input without a node',
      'bad',
      { graph, inputs_file: { title: 'x', inputs: { a: { type: 'string', default: '', to: '9.x' } } } },
      400,
      'bad_workflow',
    ],
    ['no graph', 'bad', { inputs_file }, 400, 'bad_workflow'],
    ['a canvas in place of a graph', 'bad', { graph: drawn, inputs_file }, 400, 'bad_workflow'],
    ['a field too many', 'bad', { graph, inputs_file, force: true }, 400, 'unknown_field'],
  ])('%s is refused', async (_, name, body, status, code) => {
    const answer = await save(name, body);
    expect([answer.status, answer.json]).toMatchObject([status, { code }]);
    expect(await readdir(folder)).not.toContain('bad.json');
  });

  test('a graph beyond the bound of other bodies is taken', async () => {
    const nodes = Object.fromEntries(
      Array.from({ length: 1500 }, (_, index) => [
        `n${index}`,
        { ...graph['1'], _meta: { title: 'x'.repeat(200) } },
      ]),
    );
    expect((await save('large', { graph: { ...graph, ...nodes }, inputs_file })).status).toBe(200);
  });
});

describe('removing', () => {
  test('it is gone at once, with both files', async () => {
    await save('gone', { graph, inputs_file });
    expect((await call(app, 'DELETE /api/workflows/gone')).json).toEqual({ name: 'gone', removed: true });
    expect((await call(app, 'GET /api/workflows/gone')).status).toBe(404);
    expect((await readdir(folder)).filter((file) => file.startsWith('gone'))).toEqual([]);
    expect((await call(app, 'DELETE /api/workflows/gone')).json).toMatchObject({
      code: 'workflow_not_found',
    });
  });

  test('the last one stays', async () => {
    const only = {
      templates: new Map([...workflows.templates].slice(0, 1)),
      refused: [],
      folder: workflows.folder,
    };
    const [name] = only.templates.keys();
    const answer = await call(anotherProcess(rig, { workflows: only }), `DELETE /api/workflows/${name}`);
    expect(answer.json).toMatchObject({ code: 'last_workflow' });
  });
});

describe('where the folder cannot be written', () => {
  test('a bundle says to deploy, and the list that nothing can be saved', async () => {
    const fixed = anotherProcess(rig, {});
    const answer = await call(fixed, 'POST /api/workflows/new', { json: { graph, inputs_file } });
    expect([answer.status, answer.json]).toMatchObject([409, { code: 'workflows_fixed' }]);
    expect((await call(fixed, 'GET /api/workflows?details=true')).json['can_save']).toBe(false);
  });

  test.skipIf(process.getuid?.() === 0)('a folder of another user’s says what to set', async () => {
    await chmod(folder, 0o500);
    const answer = await save('new', { graph, inputs_file });
    await chmod(folder, 0o700);
    expect([answer.status, answer.json]).toMatchObject([409, { code: 'workflows_fixed' }]);
  });
});

test('the list has what each takes and needs, and which hosts can run it, if that is asked for', async () => {
  const { json } = await call(app, 'GET /api/workflows?details=true');
  expect(json['can_save']).toBe(true);
  const details = json['details'] as Json[];
  expect(details.map(({ name }) => name)).toEqual(json['workflows']);
  expect(details[0]).toMatchObject({
    name: 'blue',
    inputs: expect.any(Array),
    models: [],
    missing: [],
    faults: [],
    hosts: [expect.any(String)],
  });
  expect((await call(app, 'GET /api/workflows')).json).not.toHaveProperty('details');
});

test('a key without the scope admin may do none of it', async () => {
  const reader = anotherProcess(rig, {
    workflows,
    admit: async (c, next) => {
      c.set('caller', { owner: 'reader', scopes: ['read', 'generate'] });
      await next();
    },
  });
  for (const route of [
    'POST /api/workflows/propose',
    'POST /api/workflows/new',
    'DELETE /api/workflows/blue',
  ])
    expect((await call(reader, route, { json: {} })).json).toMatchObject({ code: 'forbidden' });
});
