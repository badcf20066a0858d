// The root booted by its own systemd, as process 1 of namespaces of its own: what units and mounts do at a boot. Says what a
// script sees once the boot is over.

import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { startCommand } from '../support/program.ts';
import { lackOf, ROOT } from './root.ts';

const run = promisify(execFile);

/** Undefined: this machine can do it. */
export async function lackOfSystemd(): Promise<string | undefined> {
  const lack = await lackOf();
  if (lack !== undefined) return lack;
  try {
    await run('unshare', ['--mount', '--cgroup', 'mount', '-t', 'cgroup2', 'cgroup2', '/mnt']);
  } catch {
    return 'this machine allows no control groups';
  }
  return undefined;
}

const ASKING = `[Unit]
After=multi-user.target local-fs.target
[Service]
Type=oneshot
ExecStart=/bin/bash -c 'bash /ask.sh >/tell/answers 2>&1'
[Install]
WantedBy=multi-user.target
`;

/**
 * @param files of the machine, beside those of its root, by their paths; those in /etc/systemd/system are enabled
 * @param ask a script, run as root at the end of the boot
 * @returns what it prints
 */
export async function boot(files: Record<string, string>, ask: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'booted-'));
  const units = '/etc/systemd/system';
  const all = { ...files, '/ask.sh': ask, [`${units}/ask.service`]: ASKING };
  for (const name of ['root', 'upper', 'work', 'tell']) await mkdir(join(folder, name));
  for (const [path, text] of Object.entries(all)) {
    await mkdir(join(folder, 'upper', dirname(path)), { recursive: true });
    await writeFile(join(folder, 'upper', path), text);
    if (path.endsWith('.sh')) await chmod(join(folder, 'upper', path), 0o755);
  }
  await run('mkfifo', [join(folder, 'tell/answers')]);
  const enabled = Object.keys(all).flatMap((path) => (path.startsWith(units) ? path.split('/').at(-1)! : []));
  const namespaces = ['--pid', '--fork', '--kill-child', '--mount', '--uts', '--ipc', '--net', '--cgroup'];
  const machine = startCommand(
    'unshare',
    [...namespaces, 'bash', '-c', BOOT, 'boot', ROOT, folder, ...enabled],
    {
      PATH: process.env['PATH'] ?? '',
    },
  );
  try {
    const answers = readFile(join(folder, 'tell/answers'), 'utf8');
    const ended = machine.ended.then((code) => Promise.reject(new Error(`systemd ended with ${code}`)));
    return await Promise.race([answers, ended]);
  } finally {
    // Process 1 takes no other signal.
    machine.signal('SIGKILL');
    await machine.ended;
    await rm(folder, { recursive: true, force: true, maxRetries: 10 });
  }
}

const BOOT = `set -eu
lower=$1 folder=$2 root=$2/root
shift 2
mount --make-rprivate /
mount -t overlay overlay -o "lowerdir=$lower,upperdir=$folder/upper,workdir=$folder/work" "$root"
cd "$root"
SYSTEMD_OFFLINE=1 chroot . systemctl enable --quiet "$@"
mkdir tell
mount --bind "$folder/tell" tell
mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs tmpfs run
mount -t tmpfs tmpfs dev
for device in null zero full random urandom tty; do
  touch "dev/$device"
  mount --bind "/dev/$device" "dev/$device"
done
ln -s /proc/self/fd dev/fd
mkdir dev/pts dev/shm dev/mqueue
ln -s pts/ptmx dev/ptmx
mount -t devpts devpts dev/pts -o newinstance,ptmxmode=666
# Not a chroot: units with folders of their own would not start in one.
mkdir before
pivot_root . before
cd /
umount -l /before
exec env -i container=test PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd`;
