// The scripts and units of a GPU host, as files: what shellcheck and systemd's own checks say of them.

import { execFile, spawnSync } from 'node:child_process';
import { copyFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const run = promisify(execFile);
const BOOT = 'infra/host/boot';
const has = (tool: string) => spawnSync(tool, ['--version'], { stdio: 'ignore' }).status === 0;
const ending = async (suffix: string) =>
  (await readdir(BOOT)).filter((name) => name.endsWith(suffix)).map((name) => join(BOOT, name));

const noShellcheck = has('shellcheck') ? '' : ' (skipped: no shellcheck)';
test.skipIf(noShellcheck !== '')(`scripts pass shellcheck${noShellcheck}`, { timeout: 60_000 }, async () => {
  const scripts = ['infra/host/user-data.sh', ...(await ending('.sh'))];
  expect(scripts.length).toBeGreaterThan(6);
  const { stdout } = await run('shellcheck', scripts).catch((error: { stdout: string }) => error);
  expect(stdout).toBe('');
});

test('the user data has one place for its settings and much room below 16 KB', async () => {
  const text = await readFile('infra/host/user-data.sh', 'utf8');
  expect(text.split('\n').filter((line) => line === '@SETTINGS@')).toHaveLength(1);
  expect(Buffer.byteLength(text)).toBeLessThan(8 * 1024);
});

const noSystemd = has('systemd-analyze') ? '' : ' (skipped: no systemd-analyze)';
describe.skipIf(noSystemd !== '')(`units${noSystemd}`, () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'units-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  /** What verify prints; it ends with 0 even for a key that it does not know. */
  async function verify(change: (text: string) => string = (text) => text): Promise<string> {
    const copies: string[] = [];
    for (const unit of await ending('.service')) {
      const copy = join(folder, unit.slice(BOOT.length + 1));
      // Programs that are on a GPU host only.
      const text = (await readFile(unit, 'utf8')).replaceAll(
        /^(Exec\w+=[-+]*)\/(opt|srv)\S+/gm,
        '$1/bin/true',
      );
      await writeFile(copy, change(text));
      copies.push(copy);
    }
    const { stdout, stderr } = await run('systemd-analyze', ['verify', '--man=no', ...copies]).catch(
      (error: { stdout: string; stderr: string }) => error,
    );
    // Other units of this machine are read too.
    return (stdout + stderr)
      .split('\n')
      .filter((line) => line.includes('comfyui'))
      .join('\n');
  }

  test('are what systemd understands', { timeout: 60_000 }, async () => {
    expect(await verify()).toBe('');
    expect(await verify((text) => text.replace('ProtectSystem', 'ProtectSytem'))).toContain('ProtectSytem');
  });

  test('are hardened', { timeout: 60_000 }, async () => {
    const check = (unit: string) =>
      run('systemd-analyze', ['security', '--offline=true', '--threshold=50', unit]).then(
        () => 'ok',
        (error: { stdout: string }) => error.stdout,
      );
    for (const unit of await ending('.service')) expect(await check(unit)).toBe('ok');
    const bare = join(folder, 'bare.service');
    await copyFile(join(BOOT, 'comfyui.service'), bare);
    await writeFile(bare, '[Service]\nExecStart=/bin/true\n');
    expect(await check(bare)).not.toBe('ok');
  });

  test('no unit runs as root, and ComfyUI reaches loopback only', async () => {
    const users = new Set<string>();
    for (const unit of await ending('.service')) {
      const text = await readFile(unit, 'utf8');
      users.add(/^User=(.+)$/m.exec(text)?.[1] ?? 'root');
      expect(text).toMatch(/^Restart=(always|on-failure)$/m);
      // A failed start is tried for as long as the machine is there.
      expect(text).toMatch(/^StartLimitIntervalSec=0$/m);
    }
    expect(users).toEqual(new Set(['comfyui', 'comfyui-host', 'comfyui-setup']));
    const comfyui = await readFile(join(BOOT, 'comfyui.service'), 'utf8');
    expect(comfyui).toMatch(/^IPAddressDeny=any\nIPAddressAllow=localhost$/m);
    expect(comfyui).not.toContain('comfyui-host.env');
  });

  test('ComfyUI has no list of devices: on some systemd any list shuts out the GPU', async () => {
    const comfyui = await readFile(join(BOOT, 'comfyui.service'), 'utf8');
    // ProtectClock makes one before 252.1 and 253, PrivateDevices always.
    expect(comfyui).not.toMatch(/^(ProtectClock|PrivateDevices|DevicePolicy|DeviceAllow)\b/m);
    expect(comfyui).toMatch(/^SystemCallFilter=~.*@clock/m);
    expect(comfyui).toMatch(/^CapabilityBoundingSet=$/m);
  });
});

test('the host process may restart ComfyUI, and nobody may do anything else', async () => {
  const rules: ((action: object, subject: object) => unknown)[] = [];
  const polkit = { addRule: (rule: (typeof rules)[number]) => rules.push(rule), Result: { YES: 'yes' } };
  runInNewContext(await readFile(join(BOOT, 'comfyui-restart.rules'), 'utf8'), { polkit });
  const decide = (user: string, unit: string, verb: string, id = 'org.freedesktop.systemd1.manage-units') =>
    rules.map((rule) => rule({ id, lookup: (key: string) => ({ unit, verb })[key] }, { user }));
  expect(decide('comfyui-host', 'comfyui.service', 'restart')).toEqual(['yes']);
  expect(decide('comfyui-host', 'comfyui-gpu1.service', 'restart')).toEqual(['yes']);
  expect(decide('comfyui-host', 'comfyui-gpu1.service.evil', 'restart')).toEqual([undefined]);
  expect(decide('comfyui-host', 'comfyui.service', 'stop')).toEqual([undefined]);
  expect(decide('comfyui-host', 'comfyui-host.service', 'restart')).toEqual([undefined]);
  expect(decide('comfyui', 'comfyui.service', 'restart')).toEqual([undefined]);
  expect(decide('comfyui-host', 'comfyui.service', 'restart', 'org.freedesktop.login1.reboot')).toEqual([
    undefined,
  ]);
});
