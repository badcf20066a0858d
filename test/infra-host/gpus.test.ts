// The units of a machine with several GPUs, as boot/gpus.sh writes them.

import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { comfyuiAddressesOf } from '../../functions/config/comfyui.ts';
import { hostSettings } from '../../functions/config/host.ts';

const run = promisify(execFile);
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gpus-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** @param listed what nvidia-smi prints; undefined: there is none */
async function boot(
  listed: string | undefined,
): Promise<{ stdout: string; stderr: string; written: string[] }> {
  const units = await mkdtemp(join(folder, 'units-'));
  const programs = await mkdtemp(join(folder, 'bin-'));
  if (listed !== undefined)
    await writeFile(join(programs, 'nvidia-smi'), `#!/bin/sh\nprintf '${listed}'\n`, { mode: 0o755 });
  const env = { ...process.env, PATH: `${programs}:/usr/bin:/bin` };
  const printed = await run('bash', ['infra/host/boot/gpus.sh', units], { env });
  return { ...printed, written: (await readdir(units)).sort().map((name) => join(units, name)) };
}

const gpu = (n: number) => `GPU ${n}: NVIDIA L40S (UUID: GPU-${n})\\n`;

test('one GPU needs no more than the units that are there', async () => {
  expect(await boot(gpu(0))).toEqual({ stdout: '', stderr: '', written: [] });
});

test('without an answer of nvidia-smi there is one ComfyUI, and the console says why', async () => {
  const { stdout, stderr, written } = await boot('');
  expect([stdout, written]).toEqual(['', []]);
  expect(stderr).toContain('nvidia-smi lists no GPU');
});

test('each further GPU has a unit with a port, a device and temporary files of its own', async () => {
  const { stdout, stderr, written } = await boot(gpu(0) + gpu(1) + gpu(2));
  expect([stdout, stderr]).toEqual(['gpu1\ngpu2\n', '']);
  expect(written.map((path) => path.split('/').at(-1))).toEqual([
    'comfyui-gpu1.service',
    'comfyui-gpu2.service',
    'comfyui-host.service.d',
  ]);
  const plain = await readFile('infra/host/boot/comfyui.service', 'utf8');
  const second = await readFile(written[1]!, 'utf8');
  expect(second).toContain(' --port 8190 --cuda-device 2 --temp-directory /srv/comfyui/data/gpu2 ');
  expect(second).toMatch(/^ReadWritePaths=.* \/srv\/comfyui\/data\/gpu2$/m);
  expect(second).toContain('nvidia-modprobe -c 2 ');
  // Everything else is as in the first one's.
  const lines = (text: string) => text.split('\n');
  const changed = lines(second).filter((line, index) => line !== lines(plain)[index]);
  expect(changed.map((line) => /^\w+/.exec(line)?.[0])).toEqual([
    'Description',
    'ExecStartPre',
    'ExecStart',
    'ReadWritePaths',
  ]);
});

test('the host process is given all of them', async () => {
  const { written } = await boot(gpu(0) + gpu(1));
  const dropIn = await readFile(join(written.at(-1)!, 'gpus.conf'), 'utf8');
  const [, list = ''] = /^Environment=(.+)$/m.exec(dropIn) ?? [];
  const environment = Object.fromEntries(list.split(' ').map((one) => one.split(/=(.*)/s).slice(0, 2)));
  const unit = await readFile('infra/host/boot/comfyui-host.service', 'utf8');
  expect(unit).toContain(' COMFYUI_HOST=127.0.0.1');
  const storage = { TABLE_PREFIX: 'x-', IMAGES_BUCKET: 'x' };
  const settings = hostSettings({ ...storage, COMFYUI_HOST: '127.0.0.1', ...environment });
  expect(comfyuiAddressesOf(settings).map(({ url }) => url)).toEqual([
    'http://127.0.0.1:8188',
    'http://127.0.0.1:8189',
  ]);
  expect(dropIn).toContain('After=comfyui-gpu1.service\nWants=comfyui-gpu1.service\n');
});
