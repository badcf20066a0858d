// What a booted machine does, on the hosts' own systemd and polkit: the disk after a reboot, and who may restart ComfyUI.

import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { makeRoot } from './root.ts';
import { boot, lackOfSystemd } from './systemd.ts';

const lack = await lackOfSystemd();

/** As AWS's images have it, but for the program. */
const DLAMI = `[Unit]
Description=Mount Ephemeral NVME Storage to DLAMI
After=network-online.target
[Service]
Type=oneshot
ExecStart=/opt/aws/dlami/bin/nvme_ephemeral_drives.sh
TimeoutStartSec=300
RemainAfterExit=yes
[Install]
WantedBy=multi-user.target
`;
const MOUNTS = `#!/bin/bash
mkdir -p /opt/dlami/nvme
mount -t tmpfs -o size=64M the-nvme-disk /opt/dlami/nvme
# It was there before the reboot.
mkdir /opt/dlami/nvme/comfyui
echo kept >/opt/dlami/nvme/comfyui/model
`;
/** Stand-ins for what the script asks, on a machine whose disk that unit has mounted. */
const FIRST_BOOT = `#!/bin/bash
lsblk() {
  case "$*" in
    '-dno NAME,MODEL') echo 'nvme1n1 Amazon EC2 NVMe Instance Storage' ;;
    '-nro MOUNTPOINT /dev/nvme1n1') echo /opt/dlami/nvme ;;
  esac
}
systemctl() { :; }
mountpoint() { false; }
mount() { :; }
. /disk.sh
`;

describe.skipIf(lack !== undefined)(`a booted host${lack ? ` (skipped: ${lack})` : ''}`, () => {
  beforeAll(() => makeRoot(), 600_000);

  test(
    'mounts its disk after a reboot only once AWS has mounted the NVMe disk',
    { timeout: 120_000 },
    async () => {
      const files = {
        '/disk.sh': await readFile('infra/host/boot/disk.sh', 'utf8'),
        '/first-boot.sh': FIRST_BOOT,
        '/etc/systemd/system/dlami-nvme.service': DLAMI,
        '/opt/aws/dlami/bin/nvme_ephemeral_drives.sh': MOUNTS,
      };
      const line = await boot(files, 'bash /first-boot.sh; grep /srv/comfyui /etc/fstab');
      expect(line).toMatch(/^\/opt\/dlami\/nvme\/comfyui \/srv\/comfyui none bind,\S+ 0 0\n$/);
      const seen = await boot(
        { ...files, '/etc/fstab': line },
        `findmnt -no SOURCE /srv/comfyui; cat /srv/comfyui/model; systemctl is-active srv-comfyui.mount
      journalctl -b --no-pager | grep -i 'ordering cycle' || true`,
      );
      expect(seen).toBe('the-nvme-disk[/comfyui]\nkept\nactive\n');
    },
  );

  test(
    "of the hosts' own image runs the user data before cloud-init would, once",
    { timeout: 120_000 },
    async () => {
      const files = {
        '/etc/systemd/system/comfyui-early.service': await readFile(
          'infra/host/boot/comfyui-early.unit',
          'utf8',
        ),
        // It ends only once the boot has: nothing of the boot may wait for it.
        '/var/lib/cloud/instance/user-data.txt': `#!/bin/bash
until systemctl is-active --quiet multi-user.target; do sleep 0.05; done
echo ran >>/etc/comfyui-host.env
`,
      };
      const ask = `until [ -e /etc/comfyui-host.env ]; do sleep 0.05; done
        of() { systemctl show --value -p "$1" "$2"; }
        if [ "$(of ExecMainStartTimestampMonotonic comfyui-early)" -lt "$(of ActiveEnterTimestampMonotonic multi-user.target)" ]
        then echo 'before the boot was over'; fi
        of ConditionResult comfyui-early
        cat /etc/comfyui-host.env`;
      expect(await boot(files, ask)).toBe('before the boot was over\nyes\nran\n');
      const again = { ...files, '/etc/comfyui-host.env': 'kept\n' };
      expect(
        await boot(
          again,
          'systemctl show --value -p ConditionResult comfyui-early; cat /etc/comfyui-host.env',
        ),
      ).toBe('no\nkept\n');
    },
  );

  test('lets the host process restart ComfyUI, and do nothing else to it', { timeout: 120_000 }, async () => {
    const seen = await boot(
      {
        '/etc/polkit-1/rules.d/50-comfyui-restart.rules': await readFile(
          'infra/host/boot/comfyui-restart.rules',
          'utf8',
        ),
        '/restart.sh': await readFile('infra/host/boot/restart.sh', 'utf8'),
        '/etc/systemd/system/comfyui.service':
          '[Service]\nExecStart=/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n',
      },
      `systemctl --version | head -1
      for user in comfyui-host comfyui; do
        useradd --system $user
        as() { setpriv --reuid=$user --regid=$user --init-groups --no-new-privs "$@"; }
        before=$(systemctl show -p InvocationID comfyui)
        as /restart.sh 2>/dev/null
        echo "$user restart $?"
        if [ "$(systemctl show -p InvocationID comfyui)" != "$before" ]; then echo 'it is another'; fi
        as systemctl --no-ask-password stop comfyui.service 2>/dev/null
        echo "$user stop $?"
      done`,
    );
    expect(seen).toMatch(
      /^systemd 255 .*\ncomfyui-host restart 0\nit is another\ncomfyui-host stop [1-9]\ncomfyui restart [1-9]\ncomfyui stop [1-9]\n$/,
    );
  });
});
