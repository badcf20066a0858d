// `npm run mcp`: the real client starts it as a program, by both revisions.

import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { packageRoot } from '../../functions/runtime/workflows.ts';
import { REVISIONS, tool } from '../api/mcp/support.ts';
import { build, startCommand } from '../support/program.ts';
import { type Rig, startRig } from '../support/rig.ts';

const PROGRAM = join(packageRoot(), '.build', 'mcp.mjs');
const SMALL = { prompt: 'a red fox', steps: 4, width: 256, height: 256 };

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

test('an API that is not there: every request is answered, and the program ends with its stdin', async () => {
  const client = new Client({ name: 'test', version: '1.0.0' });
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [PROGRAM],
    env: { API_URL: 'http://127.0.0.1:9' },
  });
  await expect(client.connect(transport)).rejects.toMatchObject({ code: -32603 });
  await client.close();
  const refused = startCommand(process.execPath, [PROGRAM, 'word'], {});
  expect(await refused.ended).toBe(1);
});
