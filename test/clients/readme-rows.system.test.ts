// README's table "you have … → change this line": each row's client from its package, unchanged but for that very line and the port,
// makes an image with `npm start`. A row without a client here fails, and so does a line that its client does not take.
// `openai` and `@comfyorg/sdk` are dependencies; the others are where .ci/run puts them: RUNPOD_PYTHON, COMFY_CLI, MCP_CLIENTS, and
// python3 with comfy-sdk.

import { execFileSync } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sizeOfPng } from '../api/openai/support.ts';
import { small } from '../api/v2/support.ts';
import { freePort } from '../support/free-port.ts';
import { startCommand } from '../support/program.ts';
import { type WithWire, withWire } from '../support/with-wire.ts';

const { RUNPOD_PYTHON, COMFY_CLI, MCP_CLIENTS, NODE_24, PATH = '' } = process.env;
const INSPECTOR = 'node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js';

const table = /\| you have \| change this line \|\n\|---\|---\|\n((?:\|.*\n)+)/.exec(
  await readFile('README.md', 'utf8'),
)![1]!;
/** What a row begins with, and the line in its last cell. */
const LINES = new Map(
  table
    .trim()
    .split('\n')
    .map((row): [string, string] => [
      /^\| (.+?)(?:[:,]| \()/.exec(row)![1]!,
      /`([^`]+)`[^`]*\|$/.exec(row)![1]!,
    ]),
);

interface Client {
  /** What is not installed here. */
  lacks?: string | undefined;
  /** @returns an image in base64, its last line */
  image(line: string): Promise<string>;
}

const CLIENTS: Record<string, Record<string, Client>> = {
  "OpenAI's SDK": {
    openai: {
      image: (line) =>
        saidBy(process.execPath, [
          ...MODULE,
          `import OpenAI from 'openai';
          const client = new OpenAI({
            apiKey: 'any',
            ${line},
          });
          const { data } = await client.images.generate({ prompt: 'a red fox', size: '256x256', steps: 4 });
          console.log(data[0].b64_json);`,
        ]),
    },
  },
  "RunPod's SDKs": {
    runpod: {
      lacks: RUNPOD_PYTHON ? undefined : 'RUNPOD_PYTHON',
      image: (line) =>
        saidBy(RUNPOD_PYTHON!, [
          '-c',
          `
import json, runpod, sys
runpod.api_key = "any"
${line}
endpoint = runpod.Endpoint("comfyui")
print(endpoint.run_sync({"workflow": json.loads(sys.argv[1])}, timeout=60)["images"][0]["data"])
`,
          JSON.stringify(small('a red fox')),
        ]),
    },
  },
  'the official Comfy SDKs': {
    '@comfyorg/sdk': {
      image: (line) =>
        savedBy((out) => [
          process.execPath,
          [
            ...MODULE,
            `import { Comfy } from '@comfyorg/sdk';
            const [workflow, out] = process.argv.slice(1);
            const client = new Comfy();
            const job = await client.run(await client.workflows.fromFile(workflow));
            await job.outputs[0].toFile(out);`,
            graph,
            out,
          ],
          settingIn(line),
        ]),
    },
    'comfy-sdk': {
      lacks: hasComfySdk() ? undefined : 'python3 with comfy-sdk',
      image: (line) =>
        savedBy((out) => [
          'python3',
          [
            '-c',
            `
import comfy_sdk, sys
workflow, out = sys.argv[1:]
with comfy_sdk.Comfy() as client:
    job = client.run(client.workflows.from_file(workflow))
    job.outputs[0].to_file(out)
`,
            graph,
            out,
          ],
          settingIn(line),
        ]),
    },
  },
  Claude: {
    '@modelcontextprotocol/inspector': {
      lacks: MCP_CLIENTS && NODE_24 ? undefined : 'MCP_CLIENTS, NODE_24',
      // As the file of VS Code has it.
      async image(line) {
        const config = join(started.folder, 'mcp.json');
        await writeFile(config, `{"mcpServers": {"comfyui": {"type": "http", ${line}}}}`);
        const inputs = JSON.stringify({ prompt: 'a red fox', steps: 4, width: 256, height: 256 });
        const call = ['--method', 'tools/call', '--tool-name', 'generate', '--tool-arg', `inputs=${inputs}`];
        const program = [join(MCP_CLIENTS!, INSPECTOR), '--cli', '--config', config, '--server', 'comfyui'];
        const output = await saidBy(NODE_24!, [...program, ...call]);
        return /"data": "([^"]+)"/.exec(output)![1]!;
      },
    },
  },
  'clients of ComfyUI': {
    'comfy-cli': {
      lacks: COMFY_CLI ? undefined : 'COMFY_CLI',
      async image() {
        const comfy = (...args: string[]) =>
          saidBy(COMFY_CLI!, ['--skip-prompt', '--json', ...args], {
            COMFY_LOCAL_URL: `http://127.0.0.1:${wirePort}`,
          });
        const at = ['--host', '127.0.0.1', '--port', String(wirePort)];
        const ran = await comfy('run', '--workflow', graph, '--wait', ...at);
        const { data } = JSON.parse(ran.split('\n').at(-1)!) as { data: { prompt_id: string } };
        const outputs = join(started.folder, 'outputs');
        await comfy('download', data.prompt_id, '--out-dir', outputs);
        const [file] = await readdir(outputs);
        return readFile(join(outputs, file!), 'base64');
      },
    },
  },
};

const MODULE = ['--input-type=module', '--eval'];
const ON_AN_OWN_PORT = LINES.get('clients of ComfyUI')!;

let started: WithWire;
let port: number;
let wirePort: number;
let graph: string;
beforeAll(async () => {
  [port, wirePort] = [await freePort(), await freePort()];
  const [setting] = ON_AN_OWN_PORT.split('=');
  started = await withWire(5, { API_PORT: String(port), [setting!]: String(wirePort) });
  graph = join(started.folder, 'workflow_api.json');
  await writeFile(graph, JSON.stringify(small('a red fox')));
  await started.start();
});
afterAll(() => started?.close());

test('each row has its clients here', () => {
  expect([...LINES.keys()]).toEqual(Object.keys(CLIENTS));
});

const rows = Object.entries(CLIENTS).flatMap(([row, clients]) =>
  Object.entries(clients).map(([name, client]) => ({ row, name, ...client })),
);
describe.each(rows.map((row) => [row.row, row.name, row] as const))('%s: %s', (row, _, { lacks, image }) => {
  test.skipIf(lacks)(`an image${lacks ? ` (skipped: no ${lacks})` : ''}`, async () => {
    const line = LINES.get(row)!.replace('http://127.0.0.1:5000', `http://127.0.0.1:${port}`);
    expect(sizeOfPng((await image(line)).split('\n').at(-1))).toBe('256x256');
  });
});

async function saidBy(command: string, args: string[], env: Record<string, string> = {}): Promise<string> {
  const run = startCommand(command, args, { PATH, HOME: started.folder, ...env });
  expect({ code: await run.ended, output: run.output() }).toMatchObject({ code: 0 });
  return run.output().trim();
}

/** @returns in base64 what the program puts at `out` */
async function savedBy(program: (out: string) => Parameters<typeof saidBy>): Promise<string> {
  const out = join(started.folder, 'out.png');
  await saidBy(...program(out));
  return readFile(out, 'base64');
}

/** `NAME=value`, as a shell takes it. */
function settingIn(line: string): Record<string, string> {
  const [, name, value] = /^(\w+)=(\S+)$/.exec(line)!;
  return { [name!]: value! };
}

function hasComfySdk(): boolean {
  try {
    execFileSync('python3', ['-c', 'import comfy_sdk'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
