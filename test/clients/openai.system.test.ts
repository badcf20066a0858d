// Clients of OpenAI's images API from their packages, unchanged but for the base URL and the key: `openai` and litellm (PyPI) by the
// Python that OPENAI_PYTHON names; `ai`, @ai-sdk/openai-compatible, @langchain/openai and the newest openai (npm) in the folder that
// OPENAI_NPM names. They are too heavy for dependencies (381 and 107 MB): .ci/run installs them. NODE_24 is the newest openai's Node.

import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { baseUrlAt } from '../api/openai/support.ts';
import { freePort } from '../support/free-port.ts';
import { build, startCommand } from '../support/program.ts';
import { type Rig, startRig } from '../support/rig.ts';
import { withWire } from '../support/with-wire.ts';

const { OPENAI_PYTHON, OPENAI_NPM, NODE_24, PATH = '' } = process.env;

let rig: Rig;
beforeAll(async () => {
  await build();
  rig = await startRig();
  await rig.addHost();
});
afterAll(() => rig.close());

async function saidBy(command: string, program: string): Promise<unknown> {
  const run = startCommand(command, [program], {
    PATH,
    OPENAI_BASE_URL: baseUrlAt(rig.url),
    OPENAI_API_KEY: 'any',
  });
  expect({ code: await run.ended, output: run.output() }).toMatchObject({ code: 0 });
  return JSON.parse(run.output().trim().split('\n').at(-1)!);
}

test.skipIf(!OPENAI_PYTHON)('openai and litellm', async () => {
  expect(await saidBy(OPENAI_PYTHON!, join(import.meta.dirname, 'openai_clients.py'))).toEqual({
    models: 3,
    openai: ['PNG'],
    litellm: ['PNG', 'PNG'],
    webp: [true, true],
    edited: 'PNG',
  });
});

test.skipIf(!OPENAI_PYTHON)('openai, ten of whose calls wait when the service is killed −9', async () => {
  const port = await freePort();
  const server = await withWire(400, { API_PORT: String(port) });
  try {
    const url = `http://127.0.0.1:${port}`;
    const killed = await server.start();
    const run = startCommand(OPENAI_PYTHON!, [join(import.meta.dirname, 'openai_killed.py')], {
      PATH,
      OPENAI_BASE_URL: baseUrlAt(url),
      OPENAI_API_KEY: 'any',
    });
    const queued = async () =>
      ((await (await fetch(`${url}/api/queue`)).json()) as { total_jobs: number }).total_jobs;
    await expect.poll(queued).toBe(10);
    killed.signal('SIGKILL');
    await killed.ended;
    await server.start();
    expect({ code: await run.ended, output: run.output() }).toMatchObject({ code: 0 });
    const made = JSON.parse(run.output().trim().split('\n').at(-1)!) as [string, string][];
    expect(made.map(([, kind]) => kind)).toEqual(Array.from({ length: 10 }, () => 'PNG'));
    const { history } = (await (await fetch(`${url}/api/history`)).json()) as {
      history: Record<string, { job_id: string }>;
    };
    const jobs = Object.values(history).map(({ job_id: id }) => id);
    expect(made.map(([id]) => id).toSorted()).toEqual(jobs.toSorted());
  } finally {
    await server.close();
  }
});

/** Among the packages that it imports. */
async function copied(program: string): Promise<string> {
  const copy = join(OPENAI_NPM!, program);
  await copyFile(join(import.meta.dirname, program), copy);
  return copy;
}

test.skipIf(!OPENAI_NPM || !NODE_24)('openai 7.59 on Node 24', async () => {
  expect(await saidBy(NODE_24!, await copied('openai-newest.mjs'))).toEqual({
    node: '24',
    edited: 'PNG',
    events: ['image_edit.completed'],
    refused: 'integer_below_min_value',
  });
});

test.skipIf(!OPENAI_NPM)('ai and LangChain', async () => {
  expect(await saidBy(process.execPath, await copied('openai-clients.mjs'))).toEqual({
    ai: ['image/png', 'image/png', 'image/png'],
    different: 3,
    aborted: 'AbortError',
    langchain: 'image/png',
  });
});
