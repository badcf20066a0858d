// A folder of templates that is edited while a process serves them. Source: docs/reports.md.

import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createLog } from '../../functions/log.ts';
import { followWorkflows, type FollowedWorkflows } from '../../functions/runtime/followed-workflows.ts';

const graph = (width: unknown) => JSON.stringify({ '1': { class_type: 'EmptyImage', inputs: { width } } });
const inputs = (title: string) => JSON.stringify({ title, inputs: {} });

let folder: string;
let lines: Record<string, unknown>[];
let followed: FollowedWorkflows | undefined;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'workflows-'));
  lines = [];
  await write('a', 64, 'First');
});
afterEach(async () => {
  await followed?.stop();
  followed = undefined;
  await rm(folder, { recursive: true, force: true });
});

async function write(name: string, width: unknown, title: string): Promise<void> {
  await writeFile(join(folder, `${name}.json`), graph(width));
  await writeFile(join(folder, `${name}.inputs.json`), inputs(title));
}
async function follow(): Promise<FollowedWorkflows> {
  const log = createLog('test', 'debug', (line) => void lines.push(JSON.parse(line) as never));
  followed = await followWorkflows(folder, log, 10);
  return followed;
}
const titles = () => [...followed!.templates.values()].map(({ name, title }) => `${name} ${title}`);
const warningsOf = (file: string) =>
  lines
    .filter(({ level, reason }) => level === 'warn' && String(reason).includes(file))
    .map(({ reason }) => reason);

test('a changed, a new and a removed template are seen, and whoever has the former ones keeps them', async () => {
  const { templates: former } = await follow();
  await write('a', 128, 'Second');
  await write('b', 32, 'Another');
  await expect.poll(titles).toEqual(['a Second', 'b Another']);
  expect(followed!.templates.get('a')!.graph['1']!.inputs['width']).toBe(128);
  expect(former.get('a')!.graph['1']!.inputs['width']).toBe(64);
  expect([...former.keys()]).toEqual(['a']);
  await rm(join(folder, 'a.json'));
  await rm(join(folder, 'a.inputs.json'));
  await expect.poll(titles).toEqual(['b Another']);
  expect(followed!.refused).toEqual([]);
});

test('a bad one keeps the last good one, is said once, and takes no other with it', async () => {
  await follow();
  await writeFile(join(folder, 'a.json'), '{"1":');
  await write('b', 32, 'Another');
  await expect.poll(titles).toEqual(['a First', 'b Another']);
  const reason = expect.stringMatching(/^workflows\/a\.json: is no JSON: /);
  expect(followed!.refused).toEqual([reason]);
  await write('b', 32, 'Renamed');
  await expect.poll(titles).toEqual(['a First', 'b Renamed']);
  expect(warningsOf('/a.')).toEqual([reason]);
  await write('a', 16, 'Mended');
  await expect.poll(titles).toEqual(['a Mended', 'b Renamed']);
  expect(followed!.refused).toEqual([]);
});

test('a new one that is bad is not there, and said', async () => {
  await follow();
  await writeFile(join(folder, 'c.json'), graph(64));
  await expect.poll(() => followed!.refused).toEqual([expect.stringContaining('workflows/c.inputs.json')]);
  expect(titles()).toEqual(['a First']);
});

test('half a pair keeps the whole one: its graph alone was removed', async () => {
  await follow();
  await rm(join(folder, 'a.json'));
  await expect.poll(() => followed!.refused).toEqual([expect.stringContaining('workflows/a.inputs.json')]);
  expect(titles()).toEqual(['a First']);
});

test('a folder that is gone or empty takes nothing away', async () => {
  await follow();
  await rename(folder, `${folder}-away`);
  await expect.poll(() => followed!.refused).toEqual([expect.stringContaining('is none')]);
  expect(titles()).toEqual(['a First']);
  await rename(`${folder}-away`, folder);
  await expect.poll(() => followed!.refused).toEqual([]);
});

test('files behind links are followed as a volume of Kubernetes turns them', async () => {
  const one = await mkdtemp(join(tmpdir(), 'one-'));
  const two = await mkdtemp(join(tmpdir(), 'two-'));
  for (const [where, title] of [
    [one, 'One'],
    [two, 'Two'],
  ] as const) {
    await writeFile(join(where, 'k.json'), graph(64));
    await writeFile(join(where, 'k.inputs.json'), inputs(title));
  }
  await symlink(one, join(folder, '..data'));
  for (const file of ['k.json', 'k.inputs.json']) await symlink(join('..data', file), join(folder, file));
  await follow();
  expect(titles()).toEqual(['a First', 'k One']);
  await symlink(two, join(folder, '..data_tmp'));
  await rename(join(folder, '..data_tmp'), join(folder, '..data'));
  await expect.poll(titles).toEqual(['a First', 'k Two']);
  await Promise.all([one, two].map((where) => rm(where, { recursive: true })));
});

test('at the start a bad one is refused', async () => {
  await write('a', 'x', 'First');
  await writeFile(join(folder, 'a.inputs.json'), '{}');
  await expect(follow()).rejects.toThrow('workflows/a.inputs.json');
});

test('a pipe is refused by its name, and the others are followed on', async () => {
  await follow();
  const pipe = join(folder, 'p.json');
  execFileSync('mkfifo', [pipe]);
  await write('b', 32, 'Another');
  await expect.poll(titles).toEqual(['a First', 'b Another']);
  expect(followed!.refused).toEqual(['workflows/p.json: is no regular file']);
  await write('b', 32, 'Renamed');
  await expect.poll(titles).toEqual(['a First', 'b Renamed']);
});

test('at the start a link to a device is refused', async () => {
  await symlink('/dev/null', join(folder, 'p.json'));
  await expect(follow()).rejects.toThrow('workflows/p.json: is no regular file');
});

test('a removal that was interrupted is finished by the next process, unless the name has been taken since', async () => {
  const mark = (name: string) => join(folder, `.${name}.${randomUUID()}.removed`);
  await write('b', 32, 'Gone');
  await rename(join(folder, 'b.inputs.json'), mark('b'));
  await write('c', 32, 'Anew');
  await writeFile(mark('c'), inputs('Former'));
  await follow();
  expect(titles()).toEqual(['a First', 'c Anew']);
  expect((await readdir(folder)).filter((file) => /^\.|^b/.test(file))).toEqual([]);
});
