// A machine at its first boot: the root on top of which it writes, in namespaces of its own for mounts and network, with
// the mirror in them. Runs the user data as cloud-init would, and a unit's programs as systemd would.

import { execFile } from 'node:child_process';
import { access, mkdir, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { packageRoot } from '../../functions/runtime/workflows.ts';
import { type Program, startCommand } from '../support/program.ts';
import { comfyCliWheel } from './comfy-cli.ts';
import { ROOT } from './root.ts';
import { readUnit } from './unit.ts';

const run = promisify(execFile);
export const ADDRESS = '10.0.0.7';
export const TABLE_PREFIX = 'boot-';

export interface Output {
  code: number;
  text: string;
}

export interface Machine {
  /** As root, in the machine. */
  sh(command: string): Promise<Output>;
  bootOnce(): Promise<Output>;
  /** The user data as the builder has it, or their image's, and how `shutdown` was called, which does nothing here. */
  build(boot?: 'build' | 'image' | 'seed', told?: string[]): Promise<Output & { shutdowns: string[] }>;
  /** A unit's programs in order, as its user with its environment; the first that fails ends it. */
  start(unit: string): Promise<Output>;
  /** Goes on by itself. */
  startAlone(unit: string): Promise<Program>;
  ask<Answer>(path: string): Promise<Answer>;
  /** Of the mirror's S3 and others, as `/etc/comfyui-host.env` may name them. */
  close(): Promise<void>;
}

/** Sparse. */
const DISK_BYTES = 4 * 1024 ** 3;

export async function startMachine(settings: Record<string, string>): Promise<Machine> {
  const folder = await mkdtemp(join(tmpdir(), 'gpu-host-'));
  const root = join(folder, 'root');
  for (const name of ['root', 'upper', 'work', 'mirror']) await mkdir(join(folder, name));
  await Promise.all([bundleInto(join(folder, 'mirror')), comfyCliWheel(join(folder, 'mirror'))]);
  const nodeTarball = await nodeArchive();
  const node = 'node-v24.11.1-linux-x64.tar.xz';
  await run('cp', [nodeTarball.path, join(folder, 'mirror', node)]);
  const disk = join(folder, 'nvme');
  await writeFile(disk, '');
  await truncate(disk, DISK_BYTES);
  const device = (await run('losetup', ['--find', '--show', disk])).stdout.trim();

  const mirror = startCommand(
    'unshare',
    ['-n', '-m', 'bash', '-c', HOLD, 'hold', ROOT, folder, root, ADDRESS],
    {
      PATH: process.env['PATH'] ?? '',
      NODE: process.execPath,
      MIRROR: await mirrorProgram(),
      FOLDER: join(folder, 'mirror'),
      TABLE_PREFIX,
      ADDRESS,
    },
  );
  const [line] = await mirror.until(/\{"ready":true.*\}/);
  const { s3, dynamodb, files } = JSON.parse(line) as Record<'s3' | 'dynamodb' | 'files', string>;
  const inside = ['-t', String(mirror.pid), '-n', '-m'];
  const enter = (command: string[]) => ['nsenter', ...inside, 'chroot', root, ...command];

  async function sh(command: string): Promise<Output> {
    const [program = '', ...args] = enter([
      '/usr/bin/env',
      '-i',
      'SYSTEMD_OFFLINE=1',
      `PATH=${PATH}`,
      'bash',
      '-c',
      command,
    ]);
    try {
      const { stdout, stderr } = await run(program, args, { maxBuffer: 1e8 });
      return { code: 0, text: stdout + stderr };
    } catch (error) {
      const { code, stdout, stderr } = error as { code?: number; stdout: string; stderr: string };
      return { code: code ?? 1, text: stdout + stderr };
    }
  }

  const lines = Object.entries({
    ...settings,
    AWS_ENDPOINT_URL_S3: s3,
    AWS_ENDPOINT_URL_DYNAMODB: dynamodb,
    PIP_INDEX_URL: `${files}/simple`,
    // Of this machine's Node, which is not the pinned one.
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
  }).map(([name, value]) => `${name}=${value}`);
  const template = await readFile(join(packageRoot(), 'infra/host/user-data.sh'), 'utf8');
  const userData = template
    .replace('@SETTINGS@', lines.join('\n'))
    // The only two words that are not as they boot on AWS.
    .replace('https://nodejs.org/dist', `${files}/node`)
    .replace(/node_sha256=[0-9a-f]{64}/, `node_sha256=${nodeTarball.sha256}`);
  if (!userData.includes(files) || !userData.includes(nodeTarball.sha256))
    throw new Error('user-data.sh does not fetch Node as the test thinks');
  await writeFile(join(folder, 'upper', 'user-data.sh'), userData, { mode: 0o700 });
  // A loop device plays the instance's disk.
  await sh(`cat >/usr/local/bin/lsblk <<'SHIM'
#!/bin/sh
if [ "$*" = '-dno NAME,MODEL' ]; then
  echo 'nvme0n1 Amazon Elastic Block Store'
  echo '${device.replace('/dev/', '')} Amazon EC2 NVMe Instance Storage'
else exec /usr/bin/lsblk "$@"; fi
SHIM
chmod 755 /usr/local/bin/lsblk
# Its memory is this machine's.
cat >/usr/local/sbin/sysctl <<'SHIM'
#!/bin/sh
echo "$*" >>/tmp/sysctl
SHIM
chmod 755 /usr/local/sbin/sysctl`);

  async function commandsOf(name: string): Promise<string[][]> {
    const unit = readUnit(await readFile(join(packageRoot(), 'infra/host/boot', `${name}.service`), 'utf8'));
    const environment: string[] = [];
    for (const [path, mayLack] of unit.environmentFiles) {
      const { code, text } = await sh(`cat ${path}`);
      if (code !== 0 && !mayLack) throw new Error(`${name}: ${path} is not there`);
      if (code === 0) environment.push(...text.split('\n').filter((entry) => entry.includes('=')));
    }
    environment.push(...unit.environment, `PATH=${PATH}`);
    if (unit.stateDirectory)
      await sh(`install -d -o ${unit.user} -g ${unit.user} /var/lib/${unit.stateDirectory}`);
    const groups = [unit.user, ...unit.groups].join(',');
    const as = [
      'setpriv',
      `--reuid=${unit.user}`,
      `--regid=${unit.user}`,
      `--groups=${groups}`,
      '--no-new-privs',
    ];
    return unit.commands.map((command) =>
      enter([
        ...as,
        'env',
        '-i',
        ...environment,
        'bash',
        '-c',
        `umask ${unit.umask}; cd ${unit.directory}; exec ${command}`,
      ]),
    );
  }

  return {
    sh,
    bootOnce: () => sh('/user-data.sh'),

    async build(boot = 'build', told = []) {
      const builders = /^(AWS_|PIP_|COMFYUI_VERSION|MODELS_BUCKET|HOST_ASSET)/;
      const others = lines.filter((entry) => !builders.test(entry)).map((entry) => entry.split('=')[0]);
      await sh(`rm -f /tmp/shutdowns
cat >/usr/local/sbin/shutdown <<'SHIM'
#!/bin/sh
echo "$*" >>/tmp/shutdowns
SHIM
chmod 755 /usr/local/sbin/shutdown
cp /etc/comfyui-host.env /tmp/host.env
sed -E '/^(${others.join('|')})=/d; s|^COMFYUI_VERSION=|${[`BOOT=${boot}`, ...told].join('\\n')}\\n&|' /user-data.sh >/tmp/builder.sh`);
      const output = await sh('bash /tmp/builder.sh');
      const { text } = await sh(
        'touch /tmp/shutdowns; cat /tmp/shutdowns; mv /tmp/host.env /etc/comfyui-host.env',
      );
      return { ...output, shutdowns: text.trim().split('\n') };
    },

    async start(name) {
      let text = '';
      for (const [program = '', ...args] of await commandsOf(name)) {
        try {
          const { stdout, stderr } = await run(program, args, { maxBuffer: 1e8 });
          text += stdout + stderr;
        } catch (error) {
          const { code, stdout, stderr } = error as { code?: number; stdout: string; stderr: string };
          return { code: code ?? 1, text: text + stdout + stderr };
        }
      }
      return { code: 0, text };
    },

    async startAlone(name) {
      const [program = '', ...args] = (await commandsOf(name)).at(-1)!;
      return startCommand(program, args, { PATH });
    },

    async ask<Answer>(path: string) {
      const { stdout } = await run('nsenter', [...inside, 'curl', '-fsS', `${files}${path}`], {
        maxBuffer: 1e8,
      });
      return (path === '/seed' ? stdout : JSON.parse(stdout)) as Answer;
    },

    async close() {
      mirror.stop();
      await mirror.ended;
      await run('losetup', ['-d', device]).catch(() => undefined);
      await rm(folder, { recursive: true, force: true, maxRetries: 10 });
    },
  };
}

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Holds the namespaces, and becomes the mirror in them. */
const HOLD = `set -eu
mount --make-rprivate /
ip link set lo up
ip address add 169.254.169.254/32 dev lo
ip address add "$4/32" dev lo
mount -t overlay overlay -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" "$3"
mount --bind /dev "$3/dev"
mount --bind /sys "$3/sys"
mount -t proc proc "$3/proc"
mount -t tmpfs tmpfs "$3/run"
exec "$NODE" "$MIRROR"`;

async function bundleInto(folder: string): Promise<void> {
  await run(process.execPath, ['build.mjs', 'lambda'], { cwd: packageRoot() });
  const host = join(packageRoot(), '.build/host');
  await run('sh', ['-c', `python3 -m zipfile -c "$0" *`, join(folder, 'bundle.zip')], { cwd: host });
}

/** This machine's Node in the place of the pinned one, packed once: packing takes longer than all the rest. */
async function nodeArchive(): Promise<{ path: string; sha256: string }> {
  const path = `${tmpdir()}/comfyui-host-node-${process.version}.tar.xz`;
  if (
    !(await access(path).then(
      () => true,
      () => false,
    ))
  ) {
    const folder = await mkdtemp(join(tmpdir(), 'node-'));
    await mkdir(join(folder, 'node/bin'), { recursive: true });
    await run('cp', [process.execPath, join(folder, 'node/bin/node')]);
    await run('sh', ['-c', 'tar -C "$0" -c node | xz -0 -T2 >"$1.new" && mv "$1.new" "$1"', folder, path]);
    await rm(folder, { recursive: true });
  }
  return { path, sha256: (await run('sha256sum', [path])).stdout.slice(0, 64) };
}

async function mirrorProgram(): Promise<string> {
  const outfile = join(packageRoot(), '.build', 'infra-host-mirror.mjs');
  await build({
    entryPoints: [join(packageRoot(), 'test/infra-host/mirror.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    logLevel: 'error',
  });
  return outfile;
}
