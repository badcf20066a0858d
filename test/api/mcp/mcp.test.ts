// MCP with its own client, unchanged, by both revisions: what each tool gives, what is refused and how, and tasks.

import { randomBytes } from 'node:crypto';
import type { Client } from '@modelcontextprotocol/client';
import { resultFromTaskOutcome } from '@modelcontextprotocol/ext-tasks/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Rig, startRig } from '../../support/rig.ts';
import { picture } from '../v2/support.ts';
import { calledOf, connected, REVISIONS, rpc, taskSession, tool, withTasks } from './support.ts';

const SMALL = { prompt: 'a red fox', steps: 4, width: 256, height: 256 };

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
  await rig.addHost();
});
afterAll(() => rig?.close());

describe.each(REVISIONS)('revision %s', (revision) => {
  let client: Client;
  beforeAll(async () => {
    client = await connected(rig.url, revision);
  });
  afterAll(() => client?.close());

  test('is the one that is spoken', () => {
    expect(client.getNegotiatedProtocolVersion()).toBe(revision);
    expect(client.getServerVersion()).toMatchObject({ name: 'comfyui-rest-api' });
  });

  test('the tools have schemas', async () => {
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual([
      'list_workflows',
      'generate',
      'get_job',
      'cancel_job',
      'upload_image',
    ]);
    expect(tools.find(({ name }) => name === 'get_job')!.inputSchema).toMatchObject({ required: ['job_id'] });
  });

  test('list_workflows says what each takes, and the resources are the same', async () => {
    const { json } = await tool(client, 'list_workflows');
    const workflows = json['workflows'] as { name: string; inputs: unknown }[];
    expect(workflows.map(({ name }) => name)).toEqual([...rig.templates.keys()]);
    expect(workflows[0]).toMatchObject({ inputs: { type: 'object', required: ['prompt'] } });

    const { resources } = await client.listResources();
    expect(resources).toHaveLength(workflows.length);
    const { contents } = await client.readResource({ uri: resources[0]!.uri });
    expect(JSON.parse((contents[0] as { text: string }).text)).toEqual(workflows[0]);
    await expect(client.readResource({ uri: 'comfyui://workflows/none' })).rejects.toMatchObject({
      code: -32602,
    });
  });

  test('generate: an image as content, and a link to it', async () => {
    const heard: number[] = [];
    const { isError, json, blocks } = await tool(
      client,
      'generate',
      { inputs: SMALL },
      { onprogress: ({ progress }) => void heard.push(progress) },
    );
    expect({ isError, json }).toMatchObject({ isError: false, json: { status: 'completed' } });
    const [, image, link] = blocks;
    expect(image).toMatchObject({ type: 'image', mimeType: 'image/png' });
    expect(Buffer.from(image!.data!, 'base64').toString('latin1', 1, 4)).toBe('PNG');
    const linked = await fetch(link!.uri!);
    expect(Buffer.from(await linked.arrayBuffer()).toString('base64')).toBe(image!.data);
    expect(heard[0]).toBe(0);
    expect(heard).toEqual([...new Set(heard)].sort((a, b) => a - b));
  });

  test('a seed of 64 bits arrives as it is', async () => {
    // A number of JavaScript has 53; the client itself can only send it as text.
    const { json } = await tool(client, 'generate', { inputs: { ...SMALL, seed: '18446744073709551615' } });
    expect(json).toMatchObject({ status: 'completed', seed_text: '18446744073709551615' });
  });

  test('get_job waits for the end, and without inline gives the link alone', async () => {
    const { json } = await tool(client, 'generate', { inputs: SMALL, wait_seconds: 0 });
    expect(json).toMatchObject({
      status: expect.stringMatching(/queued|processing/),
      next: expect.any(String),
    });
    const ended = await tool(client, 'get_job', { job_id: json['job_id'], inline: false });
    expect(ended.json).toMatchObject({ status: 'completed', job_id: json['job_id'] });
    expect(ended.blocks.map(({ type }) => type)).toEqual(['text', 'resource_link']);
  });

  test('upload_image: its name is an input', async () => {
    const image = `data:image/png;base64,${picture().toString('base64')}`;
    const { json } = await tool(client, 'upload_image', { image });
    expect(json).toEqual({ name: expect.stringMatching(/^[0-9a-f]{64}\.png$/) });
  });

  test('the same idempotency_key is the same job', async () => {
    const given = { inputs: SMALL, idempotency_key: randomBytes(8).toString('hex') };
    const first = await tool(client, 'generate', { ...given, wait_seconds: 0 });
    const again = await tool(client, 'generate', given);
    expect(again.json).toMatchObject({ job_id: first.json['job_id'], status: 'completed' });
    const other = await tool(client, 'generate', { ...given, inputs: { ...SMALL, prompt: 'a blue fox' } });
    expect(other).toMatchObject({ isError: true, json: { code: 'idempotency_mismatch' } });
  });

  test.each<[string, string, object, object]>([
    [
      'an unknown workflow',
      'generate',
      { workflow: 'none' },
      { code: 'unknown_workflow', details: { field: 'workflow' } },
    ],
    [
      'a wrong input',
      'generate',
      { inputs: { ...SMALL, steps: 'many' } },
      { code: 'invalid_field', details: { field: 'steps' } },
    ],
    [
      'an input that there is not',
      'generate',
      { inputs: { ...SMALL, colour: 1 } },
      { code: 'unknown_field', details: { field: 'colour' } },
    ],
    ['no prompt', 'generate', {}, { code: 'missing_field', details: { field: 'prompt' } }],
    ['inputs that are none', 'generate', { inputs: 'a fox' }, { details: { field: 'inputs' } }],
    [
      'a misplaced workflow',
      'generate',
      { inputs: { workflow: 'x' } },
      { details: { field: 'inputs.workflow' } },
    ],
    [
      'an unknown argument',
      'generate',
      { prompt: 'a fox' },
      { code: 'unknown_field', details: { field: 'prompt' } },
    ],
    [
      'a wait beyond the most',
      'generate',
      { inputs: SMALL, wait_seconds: 60 },
      { details: { field: 'wait_seconds' } },
    ],
    [
      'an empty key',
      'generate',
      { inputs: SMALL, idempotency_key: '' },
      { details: { field: 'idempotency_key' } },
    ],
    ['no job', 'get_job', {}, { code: 'missing_field', details: { field: 'job_id' } }],
    [
      'an unknown job',
      'get_job',
      { job_id: '00000000-0000-4000-8000-000000000000' },
      { code: 'job_not_found' },
    ],
    ['what is no id', 'cancel_job', { job_id: '../../etc' }, { code: 'job_not_found' }],
    [
      'no base64',
      'upload_image',
      { image: 'a fox!' },
      { code: 'invalid_field', details: { field: 'image' } },
    ],
    [
      'a PDF as image',
      'upload_image',
      { image: Buffer.from('%PDF-1.7\n%%EOF').toString('base64') },
      { code: 'invalid_image' },
    ],
  ])('%s is a refusal that the model reads', async (_, name, given, json) => {
    expect(await tool(client, name, given as Record<string, unknown>)).toMatchObject({ isError: true, json });
  });

  test('cancel_job, once', async () => {
    const { json } = await tool(client, 'generate', { inputs: { ...SMALL, steps: 50 }, wait_seconds: 0 });
    expect((await tool(client, 'cancel_job', { job_id: json['job_id'] })).json).toMatchObject({
      status: 'cancelled',
    });
    const ended = (await tool(client, 'generate', { inputs: SMALL })).json['job_id'];
    expect(await tool(client, 'cancel_job', { job_id: ended })).toMatchObject({
      isError: true,
      json: { code: 'already_ended' },
    });
  });

  test('an unknown tool is an error of the protocol', async () => {
    await expect(client.callTool({ name: 'paint' })).rejects.toMatchObject({ code: -32602 });
  });
});

describe('tasks', () => {
  test('the client of the extension gets its image', async () => {
    const client = await connected(rig.url, '2026-07-28');
    const session = taskSession(client, rig.url);
    const execution = await session.callTool('generate', { inputs: SMALL });
    const { outcome } = await execution.settle();
    const called = calledOf(resultFromTaskOutcome(outcome));
    expect(called).toMatchObject({ isError: false, json: { status: 'completed' } });
    expect(called.blocks[1]).toMatchObject({ type: 'image' });
    await session.close();
    await client.close();
  });

  test('the task is the job, and is cancelled as it', async () => {
    const { json } = await rpc(
      rig.url,
      'tools/call',
      { name: 'generate', arguments: { inputs: { ...SMALL, steps: 50 } } },
      withTasks,
    );
    expect(json).toMatchObject({
      result: { resultType: 'task', status: 'working', ttlMs: expect.any(Number) },
    });
    const { taskId } = json['result'] as { taskId: string };
    expect(await rig.status(taskId)).toMatchObject({ job_id: taskId });
    expect(
      (await rpc(rig.url, 'tasks/update', { taskId, inputResponses: {} }, withTasks)).json,
    ).toMatchObject({
      result: { resultType: 'complete' },
    });
    expect((await rpc(rig.url, 'tasks/cancel', { taskId }, withTasks)).json).toMatchObject({
      result: { resultType: 'complete' },
    });
    const got = await rpc(rig.url, 'tasks/get', { taskId }, withTasks);
    expect(got.json).toMatchObject({ result: { resultType: 'complete', taskId, status: 'cancelled' } });
    // To cancel what has ended is no error.
    expect((await rpc(rig.url, 'tasks/cancel', { taskId }, withTasks)).json).not.toHaveProperty('error');
  });

  test.each(['tasks/get', 'tasks/update', 'tasks/cancel'])(
    '%s of no task, and without the extension',
    async (method) => {
      const taskId = '00000000-0000-4000-8000-000000000000';
      expect((await rpc(rig.url, method, { taskId }, withTasks)).json).toMatchObject({
        error: { code: -32602 },
      });
      expect((await rpc(rig.url, method, { taskId })).json).toMatchObject({ error: { code: -32021 } });
    },
  );
});
