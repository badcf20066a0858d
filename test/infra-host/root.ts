// A Debian root much like the AMI, made once by debootstrap and kept in /tmp, with the AWS CLI that Deep Learning AMIs
// bring. Says in one sentence why there is none.

import { execFile } from 'node:child_process';
import { access, chmod, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Another name for another content. */
export const ROOT = '/tmp/comfyui-host-root-1';
const PACKAGES =
  'systemd,systemd-sysv,ca-certificates,curl,xz-utils,zstd,git,python3,python3-venv,e2fsprogs,util-linux,mount,procps';

/** Undefined: this machine can do it. */
export async function lackOf(): Promise<string | undefined> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'it needs root on Linux';
  for (const tool of ['debootstrap', 'unshare', 'nsenter', 'losetup', 'python3'])
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

/** Some 60 s the first time, nothing after. */
export async function makeRoot(): Promise<void> {
  if (
    await access(ROOT).then(
      () => true,
      () => false,
    )
  )
    return;
  const unfinished = `${ROOT}.${process.pid}`;
  try {
    await run('debootstrap', ['--variant=minbase', `--include=${PACKAGES}`, 'bookworm', unfinished], {
      maxBuffer: 1e8,
    });
    // Debian's own is too old to be told another endpoint.
    const target = join(unfinished, 'opt/aws-cli');
    await mkdir(target);
    const wanted = ['--target', target, '--python-version', '3.11', '--only-binary', ':all:', 'awscli'];
    await run('python3', ['-m', 'pip', 'install', '--quiet', ...wanted]);
    const aws = join(unfinished, 'usr/local/bin/aws');
    await writeFile(aws, '#!/bin/sh\nPYTHONPATH=/opt/aws-cli exec /usr/bin/python3 -m awscli "$@"\n');
    await chmod(aws, 0o755);
    await rename(unfinished, ROOT);
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
}
