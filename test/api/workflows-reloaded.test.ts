// What the API serves when a template changes under it. Source: docs/reports.md.

import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readGraph } from '../../functions/images/documents.ts';
import { createLog } from '../../functions/log.ts';
import { followWorkflows, type FollowedWorkflows } from '../../functions/runtime/followed-workflows.ts';
import { type Rig, startRig } from '../support/rig.ts';
import { anotherProcess, call, type Json } from './support.ts';

let folder: string;
let rig: Rig;
let workflows: FollowedWorkflows;
let app: Rig['app'];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'workflows-'));
  await cp('test/workflows', folder, { recursive: true });
  rig = await startRig();
  workflows = await followWorkflows(folder, createLog('test', 'error'), 10);
  app = anotherProcess(rig, { workflows });
});
afterAll(async () => {
  await workflows.stop();
  await rig.close();
  await rm(folder, { recursive: true });
});

const list = async () => (await call(app, 'GET /api/workflows')).json;
async function edit(file: string, change: (text: string) => string): Promise<void> {
  await writeFile(join(folder, file), change(await readFile(join(folder, file), 'utf8')));
}
async function accepted(json: Json): Promise<string> {
  const answer = await call(app, 'POST /api/generate', { json });
  expect(answer.json).toMatchObject({ status: 'queued' });
  return String(answer.json['job_id']);
}
async function savedPrefix(jobId: string): Promise<unknown> {
  const request = (await rig.store.jobs.readRequest(jobId))!;
  return (await readGraph(rig.images, request))!['2']!.inputs['filename_prefix'];
}

test('a new job gets the new graph, an accepted one keeps its own, and the description follows', async () => {
  const title = async () => JSON.stringify((await call(app, 'GET /openapi.json')).json);
  expect(await title()).toContain('A plain colour, at once');
  const before = await accepted({ workflow: 'empty' });
  await edit('empty.json', (text) => text.replace(/"filename_prefix": "\w+"/, '"filename_prefix": "Anew"'));
  await edit('empty.inputs.json', (text) => text.replace('at once', 'anew'));
  await expect
    .poll(async () => (await call(app, 'GET /api/workflows/empty')).json)
    .toMatchObject({ title: 'A plain colour, anew' });
  expect(await savedPrefix(await accepted({ workflow: 'empty' }))).toBe('Anew');
  expect(await savedPrefix(before)).not.toBe('Anew');
  expect(await title()).toContain('A plain colour, anew');
});

test('a bad one is named in the list, and jobs of its last good version are accepted', async () => {
  expect(await list()).toMatchObject({ workflows: ['empty', 'load', 'slow'], total: 3, refused: [] });
  await edit('slow.inputs.json', (text) => text.replace('"2.ms"', '"2.minutes"'));
  await expect.poll(list).toMatchObject({
    workflows: ['empty', 'load', 'slow'],
    total: 3,
    refused: [
      'workflows/slow.inputs.json: input "ms": "2.minutes": node "2" (LabSlowImage) has no field "minutes"',
    ],
  });
  await accepted({ workflow: 'slow', ms: 5 });
});

test('one that is gone is refused by name', async () => {
  await Promise.all(['load.json', 'load.inputs.json'].map((file) => rm(join(folder, file))));
  await expect.poll(async () => (await list())['workflows']).toEqual(['empty', 'slow']);
  expect(await call(app, 'POST /api/generate', { json: { workflow: 'load', image: 'x.png' } })).toMatchObject(
    {
      status: 400,
      json: { code: 'unknown_workflow' },
    },
  );
});
