// Clients of ComfyUI from their packages, unchanged: @saintno/comfyui-sdk (npm), in the folder that SAINTNO names, and comfy-cli
// (PyPI), the program that COMFY_CLI names. Both are too heavy for a dependency (88 and 339 MB): .ci/run installs them.

import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { packageRoot } from '../../functions/runtime/workflows.ts';
import { picture, reading } from '../api/v2/support.ts';
import { startCommand } from '../support/program.ts';
import { type WithWire, withWire } from '../support/with-wire.ts';

const { SAINTNO, COMFY_CLI, PATH = '' } = process.env;
const WORKFLOW = join(packageRoot(), 'workflows', 'flux2_turbo_default.json');

let started: WithWire;
beforeAll(async () => {
  started = await withWire(25);
  await started.start();
});
afterAll(() => started?.close());

async function outputOf(command: string, args: string[], env: Record<string, string> = {}): Promise<string> {
  const run = startCommand(command, args, { PATH, HOME: started.folder, ...env });
  expect({ code: await run.ended, output: run.output() }).toMatchObject({ code: 0 });
  return run.output();
}

async function saintno(...args: string[]) {
  const program = join(import.meta.dirname, 'saintno.mjs');
  const output = await outputOf(process.execPath, [program, SAINTNO!, ...args]);
  return JSON.parse(output.trim().split('\n').at(-1)!) as { events: [string, unknown][] };
}
const SHOWN = {
  node: ['KSampler'],
  images: ['PNG'],
  history: { status: 'success', same: 1 },
  uploaded: { filename: 'cat.png', type: 'input' },
  copies: 1,
  queue: ['queue_running', 'queue_pending'],
  freed: true,
  refused: 'EnqueueFailedError',
};

test.skipIf(!SAINTNO)('@saintno/comfyui-sdk polls where its socket is refused, below the API', async () => {
  expect(await saintno(started.polledUrl, 'polls')).toMatchObject(SHOWN);
});

test.skipIf(!SAINTNO)('@saintno/comfyui-sdk: what its README shows', async () => {
  const said = await saintno(started.url);
  expect(said).toMatchObject({ ...SHOWN, batch: 4 });
  const kinds = said.events.map(([kind]) => kind);
  expect(kinds.slice(0, 3)).toEqual(['pending', 'start', 'progress']);
  expect(said.events).toContainEqual(['progress', expect.stringMatching(/^\d+\/100$/)]);
});

interface Envelope {
  ok: boolean;
  data: Record<string, unknown>;
}

test.skipIf(!COMFY_CLI)('comfy-cli: upload, run, jobs, download', async () => {
  const env = { COMFY_LOCAL_URL: started.url };
  const comfy = async (...args: string[]): Promise<Record<string, unknown>> => {
    const output = await outputOf(COMFY_CLI!, ['--skip-prompt', '--json', ...args], env);
    const { ok, data } = JSON.parse(output.trim().split('\n').at(-1)!) as Envelope;
    expect({ ok, output }).toMatchObject({ ok: true });
    return data;
  };
  const at = ['--host', '127.0.0.1', '--port', String(started.port)];

  const photo = join(started.folder, 'photo.png');
  await writeFile(photo, picture());
  await comfy('upload', photo, ...at);
  const graph = join(started.folder, 'reading.json');
  await writeFile(graph, JSON.stringify(reading('photo.png')));
  const waited = await comfy('run', '--workflow', graph, '--wait', ...at);
  expect(waited).toMatchObject({ status: 'completed', outputs: [expect.stringContaining('/view?')] });

  const { prompt_id: id } = await comfy('run', '--workflow', WORKFLOW, ...at);
  await comfy('jobs', 'wait', String(id));
  expect(JSON.stringify(await comfy('jobs', 'ls'))).toContain(String(id));
  expect(await comfy('jobs', 'status', String(id))).toMatchObject({ status: 'completed' });
  const outputs = join(started.folder, 'outputs');
  await comfy('download', String(id), '--out-dir', outputs);
  const [file] = await readdir(outputs);
  expect((await readFile(join(outputs, file!))).toString('latin1', 1, 4)).toBe('PNG');
});
