// The guide's own clients and curl lines, taken out of its markdown and run unchanged against `npm start`'s program on
// port 5000. What a client needs and this machine lacks is named in the name of the test that is skipped for it.

import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PNG } from 'pngjs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { packageRoot } from '../../functions/runtime/workflows.ts';
import { build, type Program, startCommand, startProgram } from '../support/program.ts';
import { answerBelow, blockBelow, blocksOfGuide, lacksOf } from './guide.ts';

const API = 'http://localhost:5000';
let folder: string;
let program: Program;

beforeAll(async () => {
  await build();
  folder = await mkdtemp(join(tmpdir(), 'guide-'));
  program = startProgram('local', {
    API_PORT: '5000',
    WORKSPACE_PATH: join(folder, 'workspace'),
    SIMULATED_STEP_MS: '5',
    COMFYUI_MODE: 'simulated',
  });
  // Port 5000 in use: the error has the program's own sentence about it.
  await program.until(/Stop: Ctrl-C/);
}, 60_000);
afterAll(async () => {
  program?.signal('SIGKILL');
  await program?.ended;
  await rm(folder, { recursive: true, force: true, maxRetries: 10 });
});

/** What is missing on this machine, for the name of a skipped test; undefined when all is there. */
function absentOf(...needs: [tool: string, args: string[], says: string][]): string | undefined {
  const missing = needs.filter(([tool, args]) => {
    try {
      execFileSync(tool, args, { stdio: 'ignore' });
      return false;
    } catch {
      return true;
    }
  });
  return missing.length === 0 ? undefined : missing.map(([, , says]) => says).join(', ');
}
const curl: [string, string[], string] = ['curl', ['--version'], 'curl'];
const clients = [
  {
    title: 'Python Client Example',
    language: 'python',
    file: 'client.py',
    command: 'python3',
    images: 1,
    missingTools: absentOf(['python3', ['-c', 'import requests'], 'python3 with requests']),
  },
  {
    title: 'JavaScript/Node.js Example',
    language: 'javascript',
    file: 'client.cjs',
    command: process.execPath,
    images: 1,
    missingTools: absentOf([process.execPath, ['-e', 'require.resolve("axios")'], 'axios']),
  },
  {
    title: 'Bash/cURL Batch Generation',
    language: 'bash',
    file: 'client.sh',
    command: 'bash',
    images: 4,
    missingTools: absentOf(curl, ['jq', ['--version'], 'jq'], ['bc', ['--version'], 'bc']),
  },
];

async function runs(command: string, args: string[]): Promise<string> {
  const client = startCommand(
    command,
    args,
    { ...(process.env as Record<string, string>), NODE_PATH: join(packageRoot(), 'node_modules') },
    folder,
  );
  const code = await client.ended;
  if (code !== 0) throw new Error(`${command} ended with ${code}:\n${client.output()}`);
  return client.output();
}

describe.concurrent("the guide's clients, unchanged", () => {
  for (const { title, language, file, command, images, missingTools } of clients)
    test.skipIf(missingTools !== undefined)(
      `${title}${missingTools === undefined ? '' : ` (skipped: this machine has no ${missingTools})`}`,
      { timeout: 60_000 },
      async ({ expect }) => {
        await writeFile(join(folder, file), blockBelow(title, language));
        const output = await runs(command, [join(folder, file)]);
        const names = [...output.matchAll(/Completed: (\S+)/g)].map(([, name]) => name!);
        expect(names.length, output).toBe(images);
        expect(new Set(names).size).toBe(images);
        for (const name of names) {
          expect(name).toMatch(/^Flux2_Turbo_[0-9a-f]{32}_00001_\.png$/);
          const answer = await fetch(`${API}/api/image/${name}`);
          expect(answer.status).toBe(200);
          const image = PNG.sync.read(Buffer.from(await answer.arrayBuffer()));
          expect([image.width, image.height]).toEqual([1024, 1024]);
        }
        if (language === 'bash') {
          const listed = JSON.parse(output.slice(output.lastIndexOf('\n[') + 1)) as string[];
          expect(listed).toEqual(expect.arrayContaining(names));
        }
      },
    );
});

const noCurl = absentOf(curl);
describe.skipIf(noCurl !== undefined)(`the guide's curl lines${noCurl ? ' (skipped: no curl)' : ''}`, () => {
  /** One or more JSON documents, one right behind the other. */
  async function documentsOf(script: string): Promise<Record<string, unknown>[]> {
    const output = await runs('bash', ['-c', `set -e; { ${script}\n} 2>/dev/null`]);
    return JSON.parse(`[${output.trim().replaceAll(/\}\s*\{/g, '},{')}]`) as Record<string, unknown>[];
  }
  const EXAMPLE_ID = '550e8400-e29b-41d4-a716-446655440000';
  const post = (path: string, body: object = {}) =>
    fetch(API + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  /** So much that what comes behind it waits for seconds. */
  const fillQueue = () =>
    Promise.all(
      Array.from({ length: 6 }, () =>
        post('/api/generate', { prompt: 'slow', steps: 50, batch_size: 8, width: 512, height: 512 }),
      ),
    );
  const generate = async () => (await documentsOf(blockBelow('1. Generate Image', 'bash')))[0]!;

  test('the quick start', async () => {
    const [health, accepted] = await documentsOf(blockBelow('2. Test the API', 'bash'));
    expect(health).toMatchObject({ status: 'healthy', comfyui: 'connected' });
    expect(accepted).toMatchObject({ status: 'queued', prompt: 'a beautiful sunset landscape' });
  });

  test('generate and status, until it is completed', async () => {
    const accepted = await generate();
    expect(lacksOf(accepted, answerBelow('1. Generate Image'))).toEqual([]);
    const heading = '2. Check Generation Status';
    const script = blockBelow(heading, 'bash');
    expect((await documentsOf(script))[0]).toMatchObject({ error: 'Job not found' });
    const mine = script.replace(EXAMPLE_ID, String(accepted['job_id']));
    await expect
      .poll(
        async () => {
          const [status] = await documentsOf(mine);
          expect(lacksOf(status, answerBelow(heading))).toEqual([]);
          return status!['status'];
        },
        { timeout: 15_000 },
      )
      .toBe('completed');
  });

  test('cancel', async () => {
    const script = blockBelow('4. Cancel Job', 'bash');
    expect((await documentsOf(script))[0]).toMatchObject({ error: 'Job not found' });
    await fillQueue();
    const id = String((await generate())['job_id']);
    const [cancelled] = await documentsOf(script.replace(EXAMPLE_ID, id));
    expect(cancelled).toEqual({ status: 'success', message: `Job ${id} cancelled` });
    await post('/api/queue/clear');
  });

  test.each([
    '3. Get Queue Status',
    '7. List Generated Images',
    '8. Get Execution History',
    '9. List Available Workflows',
    '10. System Information',
    '11. Health Check',
    '5. Clear Queue',
  ])('%s', async (heading) => {
    if (heading.includes('Queue Status')) await fillQueue();
    const [answer] = await documentsOf(blockBelow(heading, 'bash'));
    expect(lacksOf(answer, answerBelow(heading))).toEqual([]);
    // A list without entries would have lacked nothing.
    const counted = Object.entries(answer!).filter(([name]) => name.startsWith('total'));
    expect(counted.filter(([, count]) => count === 0)).toEqual([]);
  });

  test('download', async () => {
    const script = blockBelow('6. Download Image', 'bash');
    const { images } = (await (await fetch(`${API}/api/outputs?limit=1000`)).json()) as { images: string[] };
    // The oldest: a client's own.
    await runs('bash', ['-c', script.replace('Flux2_Turbo_00001_.png', images.at(-1)!)]);
    expect(PNG.sync.read(await readFile(join(folder, 'my_image.png'))).width).toBe(1024);
    await runs('bash', ['-c', script]);
    expect(JSON.parse(await readFile(join(folder, 'my_image.png'), 'utf8'))).toMatchObject({
      error: 'Image not found',
    });
  });

  test('the settings recommended for each GPU', async () => {
    const bodies = blocksOfGuide().filter(
      ({ heading, language }) => heading === 'Recommended Settings by GPU' && language === 'json',
    );
    expect(bodies.length).toBe(3);
    for (const { code } of bodies) {
      const answer = await post('/api/generate', { prompt: 'x', ...(JSON.parse(code) as object) });
      expect(answer.status).toBe(202);
    }
  });
});
