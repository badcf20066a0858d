// `npm start` on a disk that is full: says so, shows all that is there, and goes on when something was deleted or there
// is room again.

import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, open, rm, stat, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { PNG } from 'pngjs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { build, type Program, startProgram } from '../support/program.ts';

type Json = Record<string, unknown>;

const run = promisify(execFile);
const disk = await mkdtemp(join(tmpdir(), 'disk-'));
/** Where this user may mount. */
const mounted = await run('mount', ['-t', 'tmpfs', '-o', 'size=96m', 'tmpfs', disk]).then(
  () => true,
  () => false,
);
let program: Program | undefined;
beforeAll(() => build());
afterAll(async () => {
  program?.signal('SIGKILL');
  await program?.ended;
  if (mounted) await run('umount', ['-l', disk]);
  await rm(disk, { recursive: true, force: true });
});

async function fill(path: string): Promise<void> {
  const file = await open(path, 'a');
  try {
    for (;;) await file.write(Buffer.alloc(2 ** 16));
  } catch (error) {
    expect(error).toMatchObject({ code: 'ENOSPC' });
  } finally {
    await file.close();
  }
}

const URL_LINE = /REST API\s+(http:\S+)[^]*Stop: Ctrl-C/;

async function start(): Promise<string> {
  program = startProgram('local', {
    WORKSPACE_PATH: join(disk, 'workspace'),
    API_PORT: '0',
    SIMULATED_STEP_MS: '5',
    COMFYUI_MODE: 'simulated',
  });
  return (await program.until(URL_LINE))[1]!;
}

/** About 3 MB that nobody can make smaller. */
function picture(): Buffer {
  const png = new PNG({ width: 1000, height: 800 });
  randomBytes(png.data.length).copy(png.data);
  return PNG.sync.write(png, { colorType: 6, deflateLevel: 0, filterType: 0 });
}

function clientOf(url: string) {
  const ask = async (route: string, body?: string | FormData, headers?: Record<string, string>) => {
    const [method, path] = route.split(' ') as [string, string];
    const response = await fetch(url + path, { method, ...(body && { body }), ...(headers && { headers }) });
    const text = await response.text();
    return { status: response.status, json: (text.startsWith('{') ? JSON.parse(text) : {}) as Json };
  };
  return {
    ask,
    generate: () =>
      ask('POST /api/generate', JSON.stringify({ prompt: 'a red fox', width: 256, height: 256, steps: 4 }), {
        'content-type': 'application/json',
      }),
    upload: () => {
      const form = new FormData();
      form.set('image', new File([new Uint8Array(picture())], 'a.png'));
      return ask('POST /api/upload/image', form);
    },
    status: async (jobId: string) => (await ask(`GET /api/status/${jobId}`)).json,
  };
}

/** As a program that is there whenever the table lets go of a bit. */
async function fillWithReserve(path: string): Promise<void> {
  const reserve = join(disk, 'workspace/tables.reserve');
  const size = async () => (await stat(reserve)).size;
  do {
    await truncate(reserve);
    await fill(path);
  } while ((await size()) > 0);
}

describe.skipIf(!mounted)('a full disk', () => {
  test(
    'is named, costs nothing that was accepted, and is forgotten when there is room',
    { timeout: 60_000 },
    async () => {
      const { generate, status } = clientOf(await start());
      const accepted: string[] = [];
      const more = async () => {
        const answer = await generate();
        if (answer.status === 202) accepted.push(String(answer.json['job_id']));
        return answer.status;
      };
      const ended = async (jobId: string) =>
        ['completed', 'failed'].includes(String((await status(jobId))['status']));

      expect(await more()).toBe(202);
      await expect.poll(() => ended(accepted[0]!), { timeout: 10_000 }).toBe(true);
      await fill(join(disk, 'filler'));
      await expect.poll(more, { timeout: 10_000 }).toBe(503);
      expect((await generate()).json).toMatchObject({
        code: 'disk_full',
        error: expect.stringContaining('DELETE /api/upload/image'),
      });
      await program!.until(/workspace\.filled/);
      await rm(join(disk, 'filler'));
      await expect.poll(more, { timeout: 15_000 }).toBe(202);
      for (const jobId of accepted) await expect.poll(() => ended(jobId), { timeout: 15_000 }).toBe(true);
      expect(await status(accepted.at(-1)!)).toMatchObject({ status: 'completed', error: null });
      program?.signal('SIGTERM');
      await program?.ended;
    },
  );

  test(
    'is read from, also by the next start, and what is deleted makes room',
    { timeout: 120_000 },
    async () => {
      const before = clientOf(await start());
      const jobId = String((await before.generate()).json['job_id']);
      const name = async () =>
        (await before.status(jobId))['status'] === 'completed' &&
        (await before.status(jobId))['output_image'];
      await expect.poll(name, { timeout: 10_000 }).toBeTruthy();
      const image = String(await name());
      for (let uploads = 0; uploads < 4; uploads += 1) expect((await before.upload()).status).toBe(200);
      await fill(join(disk, 'filler'));

      /** Everything that one may look at. */
      const reads = async ({ ask }: ReturnType<typeof clientOf>) => {
        const statuses = [];
        const lists = ['outputs', 'history', 'uploads', 'queue', 'usage'];
        for (const path of [`status/${jobId}`, `image/${image}`, ...lists])
          statuses.push((await ask(`GET /api/${path}`)).status);
        return new Set(statuses);
      };
      // Heartbeats, and what is refused, go on meanwhile.
      for (const end = Date.now() + 8000; Date.now() < end;) {
        expect(await reads(before)).toEqual(new Set([200]));
        expect((await before.generate()).status).toBe(503);
        expect((await before.upload()).json['code']).toBe('disk_full');
      }

      program?.signal('SIGKILL');
      await program?.ended;
      await fill(join(disk, 'more'));
      const after = clientOf(await start());
      expect(await reads(after)).toEqual(new Set([200]));
      expect((await after.generate()).status).toBe(503);

      const { json } = await after.ask('GET /api/uploads');
      for (const upload of json['uploads'] as Json[])
        expect((await after.ask(`DELETE /api/upload/image/${String(upload['name'])}`)).status).toBe(200);
      expect((await after.ask(`DELETE /api/history/${jobId}`)).status).toBe(200);
      expect((await after.ask(`GET /api/status/${jobId}`)).status).toBe(404);
      await expect.poll(async () => (await after.generate()).status, { timeout: 10_000 }).toBe(202);
    },
  );

  test(
    'of which another program has taken the reserve too is read from and deleted on; a start says what is wrong',
    { timeout: 60_000 },
    async () => {
      await rm(join(disk, 'filler'));
      await rm(join(disk, 'more'));
      program?.signal('SIGTERM');
      await program?.ended;
      const { ask, upload, generate } = clientOf(await start());
      const sent = await Promise.all([upload(), upload()]);
      await fillWithReserve(join(disk, 'filler'));
      for (let round = 0; round < 20; round += 1) {
        expect((await ask('GET /api/history')).status).toBe(200);
        expect((await generate()).json['code']).toBe('disk_full');
      }
      const [first, second] = sent.map(({ json }) => String(json['name']));
      expect((await ask(`DELETE /api/upload/image/${first}`)).status).toBe(200);
      program?.signal('SIGKILL');
      await program?.ended;
      await fillWithReserve(join(disk, 'more'));
      program = startProgram('local', { WORKSPACE_PATH: join(disk, 'workspace'), API_PORT: '0' });
      expect(await program.ended).toBe(1);
      expect(program.stderr().trim()).toMatch(/^The disk of \S+ is full: make room, then start again$/);
      await rm(join(disk, 'filler'));
      const after = clientOf(await start());
      expect((await after.ask('GET /api/uploads')).json['uploads']).toContainEqual(
        expect.objectContaining({ name: second }),
      );
    },
  );
});
