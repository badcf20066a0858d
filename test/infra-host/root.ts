// The root of an Ubuntu 24.04, as the hosts' image is one, made once by debootstrap and kept in /tmp, with the AWS CLI that
// Deep Learning AMIs bring. Says in one sentence why there is none.

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, chmod, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Another name for another content. */
export const ROOT = '/tmp/comfyui-host-root-noble-1';
const MIRROR = 'https://archive.ubuntu.com/ubuntu';
const PACKAGES =
  'systemd,systemd-sysv,libpam-systemd,dbus,polkitd,ca-certificates,curl,xz-utils,zstd,git,python3,python3-venv,e2fsprogs,util-linux,mount,procps';
/** What the mirror's lists are signed with, which Debian does not bring. */
const KEYRING = {
  path: 'pool/main/u/ubuntu-keyring/ubuntu-keyring_2023.11.28.1_all.deb',
  sha256: '36de43b15853ccae0028e9a767613770c704833f82586f28eb262f0311adb8a8',
};

/** Undefined: this machine can do it. */
export async function lackOf(): Promise<string | undefined> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'it needs root on Linux';
  for (const tool of ['debootstrap', 'dpkg-deb', 'unshare', 'nsenter', 'losetup', 'python3'])
    if (!(await has(tool))) return `it needs ${tool}`;
  try {
    await run('unshare', ['-n', '-m', 'true']);
  } catch {
    return 'this machine allows no namespaces';
  }
  return undefined;
}

const has = (tool: string) =>
  run('sh', ['-c', `command -v ${tool}`]).then(
    () => true,
    () => false,
  );

/** Some minutes the first time, nothing after. */
export async function makeRoot(): Promise<void> {
  if (
    await access(ROOT).then(
      () => true,
      () => false,
    )
  )
    return;
  const unfinished = `${ROOT}.${process.pid}`;
  const keys = await mkdtemp(join(tmpdir(), 'ubuntu-keyring-'));
  try {
    const signed = [`--keyring=${await fetchKeyring(keys)}`, '--components=main,universe'];
    const how = ['--variant=minbase', `--include=${PACKAGES}`, ...signed];
    // Debian's debootstrap knows no release by that name: all of Ubuntu's have one script.
    const script = '/usr/share/debootstrap/scripts/gutsy';
    await run('debootstrap', [...how, 'noble', unfinished, MIRROR, script], { maxBuffer: 1e8 });
    // Ubuntu has none of its own.
    const target = join(unfinished, 'opt/aws-cli');
    await mkdir(target);
    const wanted = ['--target', target, '--python-version', '3.12', '--only-binary', ':all:', 'awscli'];
    await run('python3', ['-m', 'pip', 'install', '--quiet', ...wanted]);
    const aws = join(unfinished, 'usr/local/bin/aws');
    await writeFile(aws, '#!/bin/sh\nPYTHONPATH=/opt/aws-cli exec /usr/bin/python3 -m awscli "$@"\n');
    await chmod(aws, 0o755);
    await rename(unfinished, ROOT);
  } finally {
    await rm(unfinished, { recursive: true, force: true });
    await rm(keys, { recursive: true, force: true });
  }
}

/** Its path, in `folder`. */
async function fetchKeyring(folder: string): Promise<string> {
  const response = await fetch(`${MIRROR}/${KEYRING.path}`);
  const bytes = new Uint8Array(await response.arrayBuffer());
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  if (sha256 !== KEYRING.sha256) throw new Error(`${KEYRING.path} is not the keyring of the test: ${sha256}`);
  await writeFile(join(folder, 'keyring.deb'), bytes);
  await run('dpkg-deb', ['-x', join(folder, 'keyring.deb'), folder]);
  return join(folder, 'usr/share/keyrings/ubuntu-archive-keyring.gpg');
}
