// `npm run workflows` as a process: with no API, with the local one, with one that asks for keys; and killed on the way.

import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeEach, describe, expect, test } from 'vitest';
import { loadTemplates, packageRoot } from '../../functions/runtime/workflows.ts';
import { canvas, field, gives, takes } from '../core/workflow-file/files.ts';
import { isAlive, type Program, startCommand, startProgram } from '../support/program.ts';
import { ownFolder } from './own-folder.ts';

const own = ownFolder('workflows', (folder) => ({ WORKFLOWS_PATH: join(folder, 'workflows') }));
const { endsWithTest, settings, startProxy } = own;
const startApi = async (env?: Record<string, string>) => (await own.startApi(env)).url;

let folder: string;
let into: string;
beforeEach(async () => {
  folder = own.folder();
  into = join(folder, 'workflows');
  await mkdir(into);
  for (const part of ['.json', '.inputs.json'])
    await cp(`test/workflows/empty${part}`, join(into, `empty${part}`));
  await writeFile(join(folder, 'Blue sky.json'), JSON.stringify(drawn));
  await writeFile(join(folder, 'export.json'), JSON.stringify(exported));
});
/** A colour, saved; from a canvas, and as an export. */
const drawn = canvas(
  [
    {
      id: 1,
      type: 'EmptyImage',
      outputs: [gives('IMAGE', 1)],
      inputs: [field('width', 'INT'), field('height', 'INT')],
      widgets_values: [64, 96, 1, 255],
    },
    { id: 2, type: 'SaveImage', inputs: [takes('images', 'IMAGE', 1)], widgets_values: ['Blue'] },
  ],
  [[1, 1, 0, 2, 0, 'IMAGE']],
);
const exported = {
  '1': { class_type: 'EmptyImage', inputs: { width: 64, height: 96, batch_size: 1, color: 255 } },
  '2': { class_type: 'SaveImage', inputs: { images: ['1', 0], filename_prefix: 'Blue' } },
};

async function run(args: string[], env: Record<string, string> = {}, ofNode: string[] = []) {
  const program = endsWithTest(
    startCommand(
      process.execPath,
      [...ofNode, join(packageRoot(), '.build/workflows.mjs'), ...args],
      { ...settings(), ...env },
      folder,
    ),
  );
  const code = await program.ended;
  const stderr = program.stderr();
  return { code, stderr, stdout: program.output().replace(stderr, ''), pid: program.pid };
}

const filesIn = async (path: string) => (await readdir(path)).sort();
const inputsOf = async (name: string) => (await loadTemplates(into)).get(name)!.inputs;

describe('with no API', () => {
  test('a canvas becomes two files, makes an image, and that image becomes a workflow', async () => {
    const added = await run(['add', 'Blue sky.json', '--try']);
    expect(added).toMatchObject({ code: 0, stderr: expect.stringContaining('simulated') as string });
    expect(added.stdout).toContain(join(into, 'blue_sky.json'));
    expect(isAlive(-added.pid)).toBe(false);
    expect(await inputsOf('blue_sky')).toMatchObject({ width: { default: 64 }, height: { default: 96 } });
    expect(await loadTemplates(into).then((all) => all.get('blue_sky'))).toMatchObject({ title: 'Blue sky' });

    const [made] = (await readdir(folder)).filter((file) => file.endsWith('.png'));
    const again = await run(['add', made!, '--name', 'from_picture', '--title', 'Again']);
    expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining('a picture') as string });
    expect((await loadTemplates(into)).get('from_picture')).toMatchObject({
      title: 'Again',
      graph: { '1': { class_type: 'EmptyImage' } },
    });
    const listed = await run(['list']);
    expect(listed.stdout).toMatch(/^blue_sky +Blue sky +\S.* width, height$/m);
  }, 60_000);

  test('--input names what callers may set, by field or by the proposed name, and nothing else', async () => {
    const { code } = await run(['add', 'export.json', '--input', '1.color=tint', '--input', 'height']);
    expect(code).toBe(0);
    expect(await inputsOf('export')).toEqual({
      tint: expect.objectContaining({ type: 'integer', default: 255, to: '1.color' }) as unknown,
      height: expect.objectContaining({ default: 96, to: '1.height' }) as unknown,
    });
  });

  test.each<[string[], RegExp]>([
    [['add'], /^Which file\?/],
    [['add', 'nothing.json'], /nothing\.json cannot be read: there is no such file/],
    [['add', '.'], /cannot be read: it is no file/],
    [['add', 'none.json'], /Export \(API\)/],
    [['add', 'odd.json'], /Node 1: ComfyUI has no node class NoSuchNode.*\nNothing was saved/],
    [['add', 'lacking.json'], /Node 1 \(UNETLoader\): ComfyUI has no none\.safetensors.*\nNothing was saved/],
    [['add', 'image.json', '--try'], /--try has no value for image.*--image FILE/],
    [['add', 'export.json', '--name', 'empty'], /There is a workflow empty.*--name.*--replace/],
    [['add', 'export.json', '--name', 'Blue.2'], /^--name must have 1 to 64 small letters/],
    [['add', 'export.json', '--input', '9.x'], /callers cannot set "9\.x"; there are 1\.width, /],
    [['add', 'export.json', '--input', '1.width=A B'], /"A B" is no name/],
    [['add', 'export.json', '--input', 'width', '--input', '1.width=w'], /1\.width is there twice/],
    [['add', 'export.json', '--folder', 'nowhere'], /--folder must be a folder that is there/],
    [['add', 'export.json', '--folder', '.', '--try'], /--folder takes no --try/],
    [['remove', 'nothing'], /There is no workflow nothing/],
    [['check', 'nothing'], /There is no workflow nothing/],
    [['check', 'empty', 'odd.json'], /^Checked by the simulated ComfyUI.*\n$/],
  ])('%j ends with exit code 1, and leaves the folder as it was', async (args, reason) => {
    const odd = { '1': { class_type: 'NoSuchNode', inputs: {} }, '2': exported['2'] };
    const loader = {
      class_type: 'UNETLoader',
      inputs: { unet_name: 'none.safetensors', weight_dtype: 'default' },
    };
    const image = { '1': { class_type: 'LoadImage', inputs: { image: 'a.png' } }, '2': exported['2'] };
    const lacking = { ...exported, '1': loader, '3': exported['1'], '2': { ...exported['2'] } };
    lacking['2'].inputs = { images: ['3', 0], filename_prefix: 'x' };
    await writeFile(join(folder, 'none.json'), '{"a":1}');
    await writeFile(join(folder, 'odd.json'), JSON.stringify(odd));
    await writeFile(join(folder, 'lacking.json'), JSON.stringify(lacking));
    await writeFile(join(folder, 'image.json'), JSON.stringify(image));
    const { code, stderr } = await run(args);
    expect(stderr).toMatch(reason);
    expect(code).toBe(1);
    expect(await filesIn(into)).toEqual(['empty.inputs.json', 'empty.json']);
  });

  test('what ComfyUI lacks is saved if that is asked for', async () => {
    await writeFile(
      join(folder, 'odd.json'),
      JSON.stringify({ ...exported, '3': { class_type: 'NoSuchNode', inputs: {} } }),
    );
    expect(await run(['add', 'odd.json', '--anyway'])).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('NoSuchNode') as string,
    });
    const { code, stdout } = await run(['check']);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^empty: ok\nodd: cannot run\n {2}Node 3: .*NoSuchNode/m);
  });

  test('a ComfyUI that is silent is said to be, and nothing counts as checked', async () => {
    const silent = { COMFYUI_MODE: 'real', COMFYUI_HOST: '127.0.0.1', COMFYUI_PORT: '9' };
    const { code, stdout, stderr } = await run(['check', 'empty'], silent);
    expect({ code, stdout }).toEqual({ code: 1, stdout: 'empty: not checked\n' });
    expect(stderr).toMatch(/^No ComfyUI answers the API.*COMFYUI_HOST/);
  }, 60_000);
});

describe('with the local API', () => {
  test('a workflow is in use at once, is there once, and goes with both files', async () => {
    const url = await startApi();
    const [first, second] = await Promise.all([run(['add', 'export.json']), run(['add', 'export.json'])]);
    expect([first.code, second.code].filter((code) => code === 0)).toHaveLength(1);
    const [good, bad] = first.code === 0 ? [first, second] : [second, first];
    expect(good.stdout).toContain('in use at once');
    expect(bad.stderr).toContain('There is a workflow export');
    const answer = await fetch(`${url}/api/workflows/export`);
    expect(answer.status).toBe(200);

    expect(await run(['add', 'export.json', '--replace', '--input', 'width'])).toMatchObject({ code: 0 });
    const { inputs } = (await (await fetch(`${url}/api/workflows/export`)).json()) as {
      inputs: { properties: object };
    };
    expect(Object.keys(inputs.properties)).toEqual(['width']);

    expect(await run(['remove', 'export'])).toMatchObject({ code: 0, stdout: 'Removed: export\n' });
    expect(await filesIn(into)).toEqual(['empty.inputs.json', 'empty.json']);
    expect(await run(['remove', 'empty'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('only workflow') as string,
    });
  }, 30_000);

  test('one that asks for keys takes them of the scope admin alone', async () => {
    const keys = endsWithTest(
      startProgram('keys', settings(), ['create', '--name', 'op', '--scopes', 'admin']),
    );
    const readers = endsWithTest(startProgram('keys', settings(), ['create', '--name', 'reader']));
    await Promise.all([keys.ended, readers.ended]);
    const keyOf = (program: Program) => /^ck_\S+$/m.exec(program.output())![0];
    await startApi({ API_KEYS: 'required' });
    expect(await run(['list'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('API_KEY') as string,
    });
    expect(await run(['add', 'export.json'], { API_KEY: keyOf(readers) })).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('admin') as string,
    });
    expect(await run(['add', 'export.json'], { API_KEY: keyOf(keys) })).toMatchObject({ code: 0 });
  }, 30_000);
});

describe('with API_URL', () => {
  test('where workflows are part of the bundle, the files go into a folder', async () => {
    const url = await startApi();
    const fixed = await startProxy(url, (_, path) =>
      path.includes('details') ? { can_save: false } : undefined,
    );
    expect(await run(['add', 'export.json'], { API_URL: fixed })).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/--folder workflows.*npm run deploy/) as string,
    });
    const to = ['add', 'export.json', '--name', 'mine', '--folder', '.'];
    expect(await run(to, { API_URL: fixed })).toMatchObject({ code: 0 });
    expect(await readdir(folder)).toEqual(expect.arrayContaining(['mine.json', 'mine.inputs.json']));
    expect(await run(to, { API_URL: fixed })).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('--replace') as string,
    });
    const german = { de: { title: 'Meiner', inputs: { width: { title: 'Breite' } } } };
    const path = join(folder, 'mine.inputs.json');
    const before = JSON.parse(await readFile(path, 'utf8')) as object;
    await writeFile(path, JSON.stringify({ ...before, language: 'en', translations: german }));
    expect(await run([...to, '--replace'], { API_URL: fixed })).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('de') as string,
    });
    expect(JSON.parse(await readFile(path, 'utf8'))).toMatchObject({ translations: german });
  }, 30_000);

  test('a lost answer is no second try', async () => {
    const url = await startApi();
    const lossy = await startProxy(url, (method, path) =>
      method === 'POST' && path.endsWith('/export') ? 'lost' : undefined,
    );
    expect(await run(['add', 'export.json'], { API_URL: lossy })).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('may have saved export all the same') as string,
    });
    expect(await filesIn(into)).toContain('export.json');
  });
});

describe('killed', () => {
  /** Before the rename of this number. */
  async function killedBefore(rename: number, args: string[]) {
    const preload = join(folder, 'preload.mjs');
    await writeFile(
      preload,
      `import fs from 'node:fs';
       import { syncBuiltinESMExports } from 'node:module';
       const { rename } = fs.promises;
       let count = 0;
       fs.promises.rename = async (from, to) => {
         if (to.startsWith(${JSON.stringify(folder)}) && from.includes('.mine.') && ++count === ${rename})
           process.kill(process.pid, 'SIGKILL');
         return rename(from, to);
       };
       syncBuiltinESMExports();`,
    );
    return run(args, { API_URL: await api() }, ['--import', pathToFileURL(preload).href]);
  }
  let url: string | undefined;
  const api = async () => (url ??= await startApi());
  beforeEach(() => {
    url = undefined;
  });

  test('before both names, there is none; between the two, the next finishes it', async () => {
    const add = (...more: string[]) => [
      'add',
      'export.json',
      '--name',
      'mine',
      '--folder',
      'workflows',
      ...more,
    ];
    expect(await killedBefore(1, add())).toMatchObject({ code: 'SIGKILL' });
    expect((await loadTemplates(into)).has('mine')).toBe(false);

    expect(await killedBefore(2, add())).toMatchObject({ code: 'SIGKILL' });
    await expect(loadTemplates(into)).rejects.toThrow('mine');
    expect((await run(['list'], { WORKSPACE_PATH: join(folder, 'other') })).stdout).toMatch(/^mine /m);
    expect(Object.keys(await inputsOf('mine'))).toEqual(['width', 'height']);

    // Of one that is replaced, the former graph does not stay beside the new inputs.
    const color = {
      ...exported,
      '7': exported['1'],
      '2': { ...exported['2'], inputs: { ...exported['2'].inputs, images: ['7', 0] } },
    };
    await writeFile(join(folder, 'export.json'), JSON.stringify(color));
    expect(await killedBefore(2, add('--replace', '--input', '7.color=tint'))).toMatchObject({
      code: 'SIGKILL',
    });
    await expect(loadTemplates(into)).rejects.toThrow('mine');
    expect((await run(add(), { API_URL: await api() })).stderr).toContain('There is a workflow mine');
    expect(Object.keys(await inputsOf('mine'))).toEqual(['tint']);
  }, 60_000);
});
