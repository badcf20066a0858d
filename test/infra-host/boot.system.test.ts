// The user data run to its end, twice, in a root of its own, and then the units in their order until the host has
// registered: real IMDSv2, signed S3, DynamoDB and pip against a mirror in a network of its own.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Host } from '../../functions/core/host.ts';
import { ADDRESS, type Machine, startMachine, TABLE_PREFIX } from './machine.ts';
import { lackOf, makeRoot } from './root.ts';

const lack = await lackOf();
const SETTINGS = {
  AWS_REGION: 'us-east-1',
  TABLE_PREFIX,
  IMAGES_BUCKET: 'images',
  AUTO_SCALING_GROUP: 'hosts',
  RELEASE: '0123456789abcdef',
  IDLE_MINUTES: '10',
  METRICS_NAMESPACE: 'comfyui',
  COMFYUI_VERSION: '0.33.0',
  MODELS_BUCKET: 'models',
  HOST_ASSET: 's3://assets/host.zip',
  USD_PER_HOUR_BY_TYPE: 'g7e.2xlarge=3.36,g6e.2xlarge=2.24',
  SLOTS: '2',
  WARM_UP: 'true',
  INTAKE_PORT: '5002',
};

/** Everything that a boot writes: path, type, mode, owner, size; and what is in the files. */
const STATE = `find /etc /opt /srv /var/lib /run -xdev ! -path '/opt/aws-cli/*' -printf '%p %y %m %u %g %s\\n' | sort
  find /etc /opt/comfyui-host /srv /run/comfyui-host -xdev -type f -exec sha256sum {} + | sort`;

/** The image without zstd, and a mirror of apt's that has it. */
const LACK_ZSTD = `set -e
  rm -rf /etc/apt/sources.list.d/*
  mkdir -p /repo/zstd/DEBIAN /repo/zstd/usr/bin
  cp /usr/bin/zstd /repo/zstd/usr/bin/
  printf 'Package: zstd\\nVersion: 99\\nArchitecture: amd64\\nMaintainer: us\\nDescription: zstd\\n' >/repo/zstd/DEBIAN/control
  dpkg-deb -b /repo/zstd /repo/zstd.deb
  cd /repo
  { cat zstd/DEBIAN/control; echo 'Filename: ./zstd.deb'; echo "Size: $(stat -c %s zstd.deb)"
    echo "SHA256: $(sha256sum zstd.deb | cut -d ' ' -f 1)"; } >Packages
  echo 'deb [trusted=yes] file:/repo ./' >/etc/apt/sources.list`;

/** Shell that holds a lock of /var as apt and dpkg do, until somebody writes to /tmp/let-go. */
const held = (lock: string) => `rm -f /tmp/let-go /tmp/held; mkfifo /tmp/let-go /tmp/held
  mkdir -p /var/cache/apt/archives
  python3 -c '
import fcntl
file = open("/var/${lock}", "w")
fcntl.lockf(file, fcntl.LOCK_EX)
open("/tmp/held", "w").close()
open("/tmp/let-go").read()' >/dev/null 2>&1 &
  cat /tmp/held`;

describe.skipIf(lack !== undefined)(`a first boot${lack ? ` (skipped: ${lack})` : ''}`, () => {
  let machine: Machine;
  beforeAll(async () => {
    await makeRoot();
    machine = await startMachine(SETTINGS);
  }, 600_000);
  afterAll(() => machine?.close());

  test('sets the machine up from nothing', { timeout: 180_000 }, async () => {
    // Twice at once, as the image's own unit and cloud-init run it: the second waits, and finds everything there.
    for (const { code, text } of await Promise.all([machine.bootOnce(), machine.bootOnce()])) {
      expect(text).not.toMatch(/boot failed|Traceback|No such file/);
      expect(code).toBe(0);
    }
    const { text: seen } = await machine.sh(`
      stat -c '%n %a %U %G' /etc/comfyui-host.env /opt/comfyui-host/host.mjs /opt/comfyui-host/boot/part.sh \
        /srv/comfyui /srv/comfyui/data/models /srv/comfyui/data/custom_nodes /srv/comfyui/data/output /run/comfyui-host
      cat /etc/comfyui-instance.env /run/comfyui-host/launched.env
      findmnt -no FSTYPE,OPTIONS /srv/comfyui
      grep comfyui /etc/fstab
      id -Gn comfyui-host
      for call in $(sort -u /tmp/sysctl); do cat "\${call#--load=}" 2>/dev/null; done
      ls /etc/systemd/system/multi-user.target.wants`);
    expect(seen).toContain('/etc/comfyui-host.env 600 root root');
    expect(seen).toContain('/opt/comfyui-host/host.mjs 644 root root');
    expect(seen).toContain('/opt/comfyui-host/boot/part.sh 755 root root');
    expect(seen).toContain('/srv/comfyui/data/models 755 comfyui-setup comfyui-setup');
    expect(seen).toContain('/srv/comfyui/data/custom_nodes 755 comfyui-setup comfyui-setup');
    expect(seen).toContain('/srv/comfyui/data/output 2775 comfyui comfyui');
    expect(seen).toContain('/run/comfyui-host 2775 root comfyui-setup');
    expect(seen).toContain(
      `INSTANCE_ID=i-0123456789abcdef0\nAVAILABILITY_ZONE=us-east-1a\nINTAKE_HOST=${ADDRESS}\nINTAKE_URL=http://${ADDRESS}:5002\nUSD_PER_HOUR=2.24\nLAUNCHED_AT=2026-11-23T11:00:00Z\n`,
    );
    expect(seen).toMatch(/^ext4 .*noatime/m);
    expect(seen).toContain('LABEL=comfyui /srv/comfyui ext4 noatime,nofail 0 2');
    expect(seen).toContain('comfyui-host comfyui\n');
    expect(seen).toMatch(/^vm\.dirty_background_ratio = 5\nvm\.dirty_ratio = 80$/m);
    for (const unit of ['comfyui-models', 'comfyui-install', 'comfyui', 'comfyui-host'])
      expect(seen).toContain(`${unit}.service\n`);
    expect(seen).not.toContain('comfyui-early');
  });

  test('a second time changes nothing and fetches nothing', { timeout: 180_000 }, async () => {
    const state = () => machine.sh(STATE).then(({ text }) => text);
    const [before, asked] = [await state(), await fetched()];
    expect(asked).toEqual(['GET /node/v24.11.1/node-v24.11.1-linux-x64.tar.xz']);
    const { code } = await machine.bootOnce();
    expect(code).toBe(0);
    expect(await state()).toBe(before);
    expect(await fetched()).toEqual(asked);
  });

  describe('a tool that the image lacks', () => {
    beforeAll(() => machine.sh(LACK_ZSTD));

    test('is installed once whoever holds a lock of apt has ended', { timeout: 120_000 }, async () => {
      for (const lock of ['lib/apt/lists/lock', 'lib/dpkg/lock-frontend', 'cache/apt/archives/lock']) {
        const { text } = await machine.sh(`dpkg --remove --force-depends zstd >/dev/null 2>&1\n${held(lock)}
          bash /opt/comfyui-host/boot/tools.sh 2>&1 | while read -r line; do
            echo "$line"
            case $line in *waits*) echo >/tmp/let-go ;; esac
          done
          echo "ended with \${PIPESTATUS[0]}"; zstd --version`);
        expect(text).toMatch(
          new RegExp(
            `^comfyui-host: the image lacks zstd; installing\ncomfyui-host: waits at most 600 s for apt: E: Could not get lock /var/${lock}. It is held by process \\d+ \\(python3\\)\n[^]*ended with 0\n.*Zstandard`,
          ),
        );
      }
    });

    test('is said not to be had where the lock is held for ever', { timeout: 60_000 }, async () => {
      const { text } = await machine.sh(`mv /usr/bin/zstd /tmp/zstd\n${held('lib/dpkg/lock-frontend')}
        APT_PATIENCE_SECONDS=1 bash /opt/comfyui-host/boot/tools.sh
        echo "ended with $?"
        echo >/tmp/let-go
        mv /tmp/zstd /usr/bin/zstd`);
      expect(text).toMatch(/ended with 1\n/);
      expect(text).toContain('E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process');
    });
  });

  const fetched = async () =>
    (await machine.ask<string[]>('/asked')).filter((line) => !line.includes(' metadata'));

  test('a bucket without models is said', { timeout: 120_000 }, async () => {
    expect(await machine.start('comfyui-models')).toEqual({
      code: 1,
      text: 's3://models has no manifest.json: no models were seeded; run npm run models -- seed --bucket models\n',
    });
  });

  test('ComfyUI does not start before it is installed', { timeout: 120_000 }, async () => {
    expect((await machine.start('comfyui')).code).not.toBe(0);
  });

  test('models come from the bucket', { timeout: 120_000 }, async () => {
    await machine.ask('/seed');
    const { code, text } = await machine.start('comfyui-models');
    expect(text).toMatch(
      /1 models are in \/srv\/comfyui\/data\/models; 100 kB of them were fetched now\ncomfyui-host: models took [\d.]+ s/,
    );
    expect(code).toBe(0);
    const { text: file } = await machine.sh(
      'stat -c "%s %U" /srv/comfyui/data/models/vae/flux2-vae.safetensors',
    );
    expect(file).toBe('100000 comfyui-setup\n');
  });

  test(
    'ComfyUI is installed by each host, until the builder has stored it; then it is taken from the archive',
    { timeout: 300_000 },
    async () => {
      const installed = async () => (await fetched()).filter((line) => line.endsWith('.whl')).length;
      const again = () => machine.sh('rm -rf /srv/comfyui/app /run/comfyui-host/comfyui.ready');
      for (const times of [1, 2]) {
        const { code, text } = await machine.start('comfyui-install');
        expect(text).toContain('the output BuildCommand');
        expect(text).toMatch(/comfyui-host: comfyui took/);
        expect({ code, installed: await installed() }).toEqual({ code: 0, installed: times });
        await again();
      }

      const built = await machine.build();
      expect(built.text).toMatch(/^comfyui-0\.33\.0-[0-9a-f]{12}-py312 is stored for the hosts$/m);
      expect(built).toMatchObject({ code: 0, shutdowns: ['-h +60', '-h now'] });
      expect(await installed()).toBe(3);
      await again();
      // Whoever starts it once more pays some minutes.
      const twice = await machine.build();
      expect(twice.text).toMatch(/is stored already$/m);
      expect(twice.shutdowns).toEqual(['-h +60', '-h now']);
      await again();

      const last = await machine.start('comfyui-install');
      expect(last.text).not.toContain('BuildCommand');
      expect({ code: last.code, installed: await installed() }).toEqual({ code: 0, installed: 3 });
      const { text } = await machine.sh(
        'ls -A /srv/comfyui; ls -A /srv/comfyui/app; stat -c %U /srv/comfyui/app/main.py',
      );
      expect(text).toBe('app\ndata\nlost+found\n.installed\n.venv\nmain.py\ncomfyui-setup\n');
    },
  );

  test(
    'the seeder ends its machine, says why on the console where it fails, and never hangs',
    { timeout: 120_000 },
    async () => {
      const untold = await machine.build('seed');
      expect(untold.text).toContain('has no HUB_TOKEN_PARAMETER; deploy');
      expect(untold).toMatchObject({ code: 1, shutdowns: ['-h +240', '-h now'] });
      const nobody = ['AWS_ENDPOINT_URL_SSM=http://127.0.0.1:9', 'HUB_TOKEN_PARAMETER=/comfyui/hub-token'];
      const { text, code, shutdowns } = await machine.build('seed', nobody);
      expect(text).toMatch(/^comfyui-models: .*ECONNREFUSED/m);
      expect(text).toMatch(/^comfyui-models: .*; npm run models -- seed --in-region/m);
      expect({ code, shutdowns }).toEqual({ code: 1, shutdowns: ['-h +240', '-h now'] });
    },
  );

  test(
    "the hosts' own image has Node, the bundle and ComfyUI, and a host uses them",
    { timeout: 120_000 },
    async () => {
      const before = await fetched();
      const made = await machine.build('image');
      const { text: early } = await machine.sh(`cd /etc/systemd/system
        cmp comfyui-early.service /opt/comfyui-host/boot/comfyui-early.unit && readlink multi-user.target.wants/comfyui-early.service`);
      expect(early).toBe('/etc/systemd/system/comfyui-early.service\n');
      expect(made.text).toMatch(/^comfyui-host: comfyui-0\.33\.0-[0-9a-f]{12}-py312 is in the image$/m);
      expect(made).toMatchObject({ code: 0, shutdowns: [''] });
      await machine.sh('rm -f /run/comfyui-host/comfyui.ready');

      const { code, text } = await machine.start('comfyui-install');
      expect({ code, text }).toMatchObject({
        code: 0,
        text: expect.stringMatching(/^comfyui-host: comfyui took/),
      });
      const { text: seen } = await machine.sh(`readlink /srv/comfyui/app; stat -c %U /opt/comfyui-app/main.py
      /srv/comfyui/app/.venv/bin/python -c 'import torch; print(torch.version.cuda)'`);
      expect(seen).toBe('/opt/comfyui-app\nroot\n13.0\n');
      expect(await fetched()).toEqual(before);

      // An image that is older than the release is no hindrance.
      await machine.sh('echo older >/opt/comfyui-app/.installed; rm /srv/comfyui/app');
      expect((await machine.start('comfyui-install')).code).toBe(0);
      expect((await machine.sh('readlink /srv/comfyui/app; cat /srv/comfyui/app/.installed')).text).toMatch(
        /^comfyui-0\.33\.0-/,
      );
    },
  );

  test('ComfyUI starts with its own folders, loopback and nothing custom', { timeout: 120_000 }, async () => {
    // It waits for no model.
    await machine.sh('mv /run/comfyui-host/models.ready /tmp/');
    expect(await machine.start('comfyui')).toEqual({ code: 0, text: '' });
    const { text } = await machine.sh(
      'cat /srv/comfyui/data/user/argv.json; stat -c %A%G /srv/comfyui/data/output/a-folder',
    );
    expect(text).toBe(
      '["--listen", "127.0.0.1", "--port", "8188", "--base-directory", "/srv/comfyui/data", "--database-url", "sqlite:////srv/comfyui/data/user/comfyui.db", "--disable-all-custom-nodes", "--disable-api-nodes", "--disable-auto-launch", "--preview-method", "auto"]drwxrwsr-xcomfyui\n',
    );
  });

  test('with everything in place the units are as systemd wants them', { timeout: 120_000 }, async () => {
    const { text } = await machine.sh('systemd-analyze verify --man=no /etc/systemd/system/comfyui*.service');
    expect(text).toBe('');
  });

  test(
    'then the host registers, warms ComfyUI up once its models are there, and can delete what that made',
    { timeout: 180_000 },
    async () => {
      const program = await machine.startAlone('comfyui-host');
      try {
        // The last thing that it says of its start.
        await program.until(/"ready":true/);
        const [host] = await machine.ask<Host[]>('/hosts');
        expect(host).toMatchObject({ url: `http://${ADDRESS}:5002`, state: 'ready' });
        expect(host?.hostId).toContain('i-0123456789abcdef0');
        const own = async () => (await machine.ask<Host[]>('/hosts'))[0];
        await expect
          .poll(own, { timeout: 20_000 })
          .toMatchObject({ comfyui: false, trouble: 'comfyui_starting: its models are still coming' });
        await machine.sh('mv /tmp/models.ready /run/comfyui-host/');
        await expect.poll(own, { timeout: 20_000 }).toMatchObject({ comfyui: true });
        const prompts = await machine.ask<object>('/comfyui/prompts');
        expect(prompts).toEqual(1);
      } finally {
        program.signal('SIGTERM');
        expect(await program.ended).toBe(0);
      }
      const { code } = await machine.sh(
        'setpriv --reuid=comfyui-host --regid=comfyui-host --init-groups rm /srv/comfyui/data/output/a-folder/image.png',
      );
      expect(code).toBe(0);
    },
  );

  test('every part of the boot left its seconds for the host to report', async () => {
    const { text } = await machine.sh('cat /run/comfyui-host/boot.json');
    const parts = JSON.parse(text) as Record<string, number>;
    expect(Object.keys(parts).sort()).toEqual(['bundle', 'comfyui', 'identity', 'models', 'node', 'nvme']);
    for (const seconds of Object.values(parts)) expect(seconds).toBeGreaterThanOrEqual(0);
  });

  test('settings that lack a name stop the boot with that name', async () => {
    const { code, text } = await machine.sh(
      "sed '/^RELEASE=/d' /user-data.sh >/tmp/other.sh && bash /tmp/other.sh",
    );
    expect(text).toMatch(/^comfyui-host: .* has no RELEASE; deploy .*\n$/);
    expect(code).toBe(1);
  });
});
