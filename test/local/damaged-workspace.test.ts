// A job table that lost something is never served as if it had not. Source: docs/reports.md.

import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { appendFile, cp, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { checkTable } from '../../functions/local/embedded-dynamodb/damage.ts';
import { readLog } from '../../functions/local/embedded-dynamodb/leveldb-files.ts';
import { build, type Program, startProgram } from '../support/program.ts';

let root: string;
let workspace: string;
let table: string;
let program: Program | undefined;

beforeAll(() => build());
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'damage-'));
  workspace = join(root, 'workspace');
  table = join(workspace, 'dynamodb');
});
afterEach(async () => {
  program?.signal('SIGKILL');
  await program?.ended;
  await rm(root, { recursive: true, force: true, maxRetries: 10 });
});

function start(env: Record<string, string> = {}): Program {
  program = startProgram('local', {
    WORKSPACE_PATH: workspace,
    API_PORT: '0',
    COMFYUI_MODE: 'simulated',
    ...env,
  });
  return program;
}

const up = async (started: Program) => (await started.until(/REST API\s+(http:\S+)[^]*Stop: Ctrl-C/))[1]!;

/** A workspace with jobs in it, whose processes were killed once the mark had been written. */
async function used(): Promise<void> {
  const started = start();
  const url = await up(started);
  for (let job = 0; job < 5; job += 1) {
    const response = await fetch(`${url}/api/generate`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ prompt: 'a red fox', steps: 1, width: 256, height: 256 }),
    });
    expect(response.status).toBe(202);
  }
  await expect
    .poll(async () => JSON.parse(await readFile(`${table}.mark.json`, 'utf8')).bytes, { timeout: 15_000 })
    .toBeGreaterThan(5000);
  started.signal('SIGKILL');
  await started.ended;
}

async function newestLog(): Promise<string> {
  const logs = (await readdir(table)).filter((name) => name.endsWith('.log')).sort();
  return join(table, logs.at(-1)!);
}

async function refused(): Promise<string> {
  const started = start();
  expect(await started.ended).toBe(1);
  const line = started.stderr().trim();
  expect(line.split('\n')).toHaveLength(1);
  return line;
}

test('what was killed starts again without a word', async () => {
  await used();
  // The end of a write that was under way.
  await appendFile(await newestLog(), randomBytes(5));
  const started = start();
  await up(started);
  expect(started.stderr()).toBe('');
}, 60_000);

test.each([
  [
    'cut short',
    async (log: string) => truncate(log, 100),
    /of \d+ bytes that were written to \d+\.log, \d+ cannot/,
  ],
  [
    'zeroed',
    async (log: string) => writeFile(log, Buffer.alloc((await readFile(log)).length)),
    /of \d+ bytes that were written to \d+\.log, \d+ cannot be read/,
  ],
  ['gone', async () => rm(join(table, 'CURRENT')), /its file CURRENT is missing/],
  ['away', async () => rm(table, { recursive: true }), /it is gone, with the \d+ entries/],
])(
  'a log or file that is %s stops the start with what is lost; repair goes on',
  async (_, harm, says) => {
    await used();
    await harm(await newestLog());
    expect(await refused()).toMatch(says);
    const kept = await readdir(root);
    expect(kept).toEqual(['workspace']);
    await rm(join(table, 'nothing'), { force: true });
    const started = start({ WORKSPACE_REPAIR: 'true' });
    await up(started);
    expect(started.stderr()).toMatch(
      /The job table was damaged .* and is repaired: it has \d+ entries of \d+/,
    );
    started.signal('SIGKILL');
    await started.ended;
    await up(start());
  },
  90_000,
);

test.skipIf(process.platform === 'win32')(
  'a pipe among its files does not hang the start',
  async () => {
    await used();
    execFileSync('mkfifo', [join(table, '000999.log')]);
    expect(await refused()).toContain('000999.log is no file');
  },
  60_000,
);

test('a block that cannot be read is found before it is asked for', async () => {
  const level = new ClassicLevel(table);
  await level.open();
  for (let key = 0; key < 2000; key += 1) await level.put(`key${key}`, randomBytes(500).toString('hex'));
  await level.compactRange('a', 'z');
  await level.close();
  await checkTable(table, false);
  const [file] = (await readdir(table)).filter((name) => name.endsWith('.ldb'));
  const bytes = await readFile(join(table, file!));
  bytes.fill(0xff, 1000, 9000);
  await writeFile(join(table, file!), bytes);
  await expect(checkTable(table, false)).rejects.toThrow(/is damaged: .*WORKSPACE_REPAIR=true/);
  expect(await checkTable(table, true)).toMatch(/it has \d+ entries of 2000 at the last start/);
});

test('a log is read as LevelDB writes it, over blocks', async () => {
  const level = new ClassicLevel(table);
  await level.open();
  const values = [10, 40_000, 5, 70_000, 32_000].map((size) => 'x'.repeat(size));
  for (const [key, value] of values.entries()) await level.put(String(key), value);
  const copy = join(root, 'copy');
  await cp(table, copy, { recursive: true });
  await level.close();
  const [name] = (await readdir(copy)).filter((file) => file.endsWith('.log'));
  const bytes = await readFile(join(copy, name!));
  const whole = readLog(bytes);
  expect(whole).toMatchObject({ readable: bytes.length });
  expect(whole.records).toHaveLength(5);
  expect(readLog(bytes.subarray(0, -1)).damagedAt).toBeUndefined();
  const hurt = Buffer.from(bytes);
  hurt[20] = hurt[20]! ^ 1;
  expect(readLog(hurt).damagedAt).toBe(0);
});
