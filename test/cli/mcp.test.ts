// `npm run mcp`: the real client starts it as a program, by both revisions.

import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { packageRoot } from '../../functions/runtime/workflows.ts';
import { REVISIONS, tool } from '../api/mcp/support.ts';
import { build, startCommand } from '../support/program.ts';
import { type Rig, startRig } from '../support/rig.ts';

const PROGRAM = join(packageRoot(), '.build', 'mcp.mjs');
const SMALL = { prompt: 'a red fox', steps: 4, width: 256, height: 256 };

const run = promisify(execFile);

let rig: Rig;
beforeAll(async () => {
  await build();
  rig = await startRig();
  await rig.addHost();
}, 120_000);
afterAll(() => rig?.close());

test.each(REVISIONS)('an image by stdio, by the revision %s', async (revision) => {
  const client = new Client(
    { name: 'test', version: '1.0.0' },
    { versionNegotiation: { mode: revision === '2025-11-25' ? 'legacy' : { pin: revision } } },
  );
  await client.connect(
    new StdioClientTransport({ command: process.execPath, args: [PROGRAM], env: { API_URL: rig.url } }),
  );
  expect(client.getNegotiatedProtocolVersion()).toBe(revision);
  const heard: number[] = [];
  const made = await tool(
    client,
    'generate',
    { inputs: SMALL },
    { onprogress: ({ progress }) => void heard.push(progress) },
  );
  expect(made).toMatchObject({ isError: false, blocks: [{}, { type: 'image' }, { type: 'resource_link' }] });
  expect(heard[0]).toBe(0);
  await client.close();
});

test('what comes before stdin ends is answered', async () => {
  const clientInfo = { name: 'test', version: '1.0.0' };
  const asked = [
    {
      id: 1,
      method: 'initialize',
      params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo },
    },
    { id: 2, method: 'tools/list' },
    { id: 3, method: 'tools/call', params: { name: 'generate', arguments: { inputs: SMALL } } },
  ];
  const running = run(process.execPath, [PROGRAM], { env: { API_URL: rig.url } });
  running.child.stdin!.end(asked.map((one) => `${JSON.stringify({ jsonrpc: '2.0', ...one })}\n`).join(''));
  const answers = (await running).stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { id: number; result?: { content?: { type: string }[] } });
  const results = new Map(answers.map(({ id, result }) => [id, result]));
  expect(new Set(results.keys())).toEqual(new Set([1, 2, 3]));
  expect(results.get(1)).toMatchObject({ serverInfo: {} });
  expect(results.get(2)).toMatchObject({ tools: expect.any(Array) });
  expect(results.get(3)!.content!.map(({ type }) => type)).toEqual(['text', 'image', 'resource_link']);
});

test('an API that is not there: every request is answered, and the program ends with its stdin', async () => {
  const client = new Client({ name: 'test', version: '1.0.0' });
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [PROGRAM],
    env: { API_URL: 'http://127.0.0.1:9' },
  });
  await expect(client.connect(transport)).rejects.toMatchObject({
    code: -32603,
    message: expect.stringContaining('http://127.0.0.1:9'),
  });
  await client.close();
  const refused = startCommand(process.execPath, [PROGRAM, 'word'], {});
  expect(await refused.ended).toBe(1);
});
