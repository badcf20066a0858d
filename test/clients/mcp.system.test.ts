// MCP's conformance suite, and its inspector's command line, unchanged: the packages in the folder that MCP_CLIENTS names, on the
// Node that NODE_24 names, since both need 22. Too heavy for dependencies (52 and 111 MB): .ci/run installs them.

import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { startCommand } from '../support/program.ts';
import { type WithWire, withWire } from '../support/with-wire.ts';

const { MCP_CLIENTS, NODE_24, PATH = '' } = process.env;
const CONFORMANCE = 'conformance/dist/index.js';
const INSPECTOR = 'inspector/clients/launcher/build/index.js';

let started: WithWire;
let url: string;
beforeAll(async () => {
  if (!MCP_CLIENTS) return;
  const port = await freePort();
  url = `http://127.0.0.1:${port}/mcp`;
  started = await withWire(25, { API_PORT: String(port) });
  await started.start();
});
afterAll(() => started?.close());

async function run(program: string, args: string[]): Promise<{ code: number | string; output: string }> {
  const path = join(MCP_CLIENTS!, 'node_modules/@modelcontextprotocol', program);
  const ran = startCommand(NODE_24!, [path, ...args], { PATH, HOME: started.folder });
  const code = await ran.ended;
  return { code, output: ran.output() };
}

/**
 * What applies to any server, with the checks that fail for want of tools that only a test server has, or of prompts, which this
 * one does not offer. The other scenarios call such tools (`test_simple_text`, `test_elicitation`, …), resources and prompts by
 * name; sessions, logging, completions, subscriptions, elicitation and sampling are not offered.
 */
const SCENARIOS: [name: string, revision: string, fail?: string[]][] = [
  ['server-initialize', '2025-11-25'],
  ['ping', '2025-11-25'],
  ['tools-list', '2025-11-25'],
  ['tools-list', '2026-07-28'],
  ['resources-list', '2025-11-25'],
  ['resources-list', '2026-07-28'],
  ['dns-rebinding-protection', '2025-11-25'],
  ['dns-rebinding-protection', '2026-07-28'],
  ['sep-2164-resource-not-found', '2026-07-28'],
  ['http-header-validation', '2026-07-28'],
  ['input-required-result-unsupported-methods', '2026-07-28'],
  ['server-sse-multiple-streams', '2026-07-28'],
  ['caching', '2026-07-28', ['sep-2549-prompts-list-caching-hints']],
  [
    'server-stateless',
    '2026-07-28',
    [
      'sep-2575-server-rejects-undeclared-capability',
      'sep-2575-missing-capability-http-400',
      'sep-2575-http-server-no-independent-requests-on-stream',
      'sep-2575-server-no-log-without-loglevel',
    ],
  ],
];

describe.skipIf(!MCP_CLIENTS || !NODE_24)('@modelcontextprotocol/conformance', () => {
  test.each(SCENARIOS)('%s of %s', async (name, revision, fail = []) => {
    const asked = ['server', '--url', url, '--scenario', name, '--spec-version', revision];
    const { output } = await run(CONFORMANCE, asked);
    const said = (outcome: string) =>
      [...output.matchAll(/\[([a-z0-9-]+) *\] \S*?(SUCCESS|FAILURE|WARNING)/g)]
        .filter(([, , one]) => one === outcome)
        .map(([, check]) => check);
    expect({ output, failed: said('FAILURE'), warned: said('WARNING') }).toMatchObject({
      failed: fail,
      warned: [],
    });
    expect(said('SUCCESS')).not.toEqual([]);
  });
});

describe.skipIf(!MCP_CLIENTS || !NODE_24)('@modelcontextprotocol/inspector --cli', () => {
  test.each(['legacy', 'modern'])('an image, by the %s revision', async (era) => {
    const call = (...args: string[]) =>
      run(INSPECTOR, ['--cli', url, '--transport', 'http', '--protocol-era', era, ...args]);
    const inputs = JSON.stringify({ prompt: 'a red fox', steps: 4, width: 256, height: 256 });
    const listed = await call('--method', 'tools/list');
    expect(listed).toMatchObject({ code: 0, output: expect.stringContaining('"list_workflows"') });
    const asked = ['--method', 'tools/call', '--tool-name', 'generate', '--tool-arg', `inputs=${inputs}`];
    const { code, output } = await call(...asked);
    expect({ code, output }).toMatchObject({
      code: 0,
      output: expect.stringContaining('"mimeType": "image/png"'),
    });
  });
});
