// Every process alone: several of each against one table and one bucket, killed at will; and what each refuses with
// one line.

import { createServer } from 'node:http';
import { cp, mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { PNG } from 'pngjs';
import { beforeEach, describe, expect, test } from 'vitest';
import { startSimulatedComfyUI } from '../../simulated-comfyui/server.ts';
import { type Deployment, deploymentForEach, submit, untilStatus } from './deployment.ts';

const deployment = deploymentForEach();

/** Two of each, and one controller. */
async function startAll() {
  const [forwarders, hosts] = await Promise.all([
    Promise.all([deployment().addForwarder(), deployment().addForwarder()]),
    Promise.all([deployment().addHost(), deployment().addHost()]),
  ]);
  const apis = await Promise.all(
    forwarders.map(({ url }) => deployment().addApi({ FORWARDER_URL: url, FIXED_COMFYUI: 'true' })),
  );
  const controller = deployment().start('controller', {
    FORWARDER_URL: forwarders[0].url,
    SWEEP_EVERY_MS: '500',
  });
  await deployment().up(controller);
  return { apis, forwarders, hosts, controller };
}

test('a job accepted by one API is followed at the other, and its image comes from either', async () => {
  const { apis, hosts } = await startAll();
  const [one, other] = apis.map(({ url }) => url) as [string, string];
  const jobIds = await Promise.all(Array.from({ length: 6 }, () => submit(one, 300)));
  for (const jobId of jobIds) {
    const status = await untilStatus(other, jobId, 'completed');
    expect(status).toMatchObject({ attempts: 1, simulated: true, progress: 1 });
    const [{ url: link }] = status['images'] as [{ url: string }];
    const name = String(status['output_image']);
    for (const from of [`${one}/api/image/${name}`, `${other}/api/image/${name}`, link]) {
      const answer = await fetch(from);
      expect(answer.status).toBe(200);
      expect(PNG.sync.read(Buffer.from(await answer.arrayBuffer())).width).toBe(64);
    }
  }
  // Six jobs at once are more than one host has slots for.
  for (const host of hosts) expect(host.posted()).toBeGreaterThan(0);
  expect(hosts.reduce((sum, host) => sum + host.posted(), 0)).toBe(6);
});

test('kill -9 of an API, a forwarder and the controller in the middle of the work loses nothing', async () => {
  const { apis, forwarders, hosts, controller } = await startAll();
  const [doomed, other] = apis.map(({ url }) => url) as [string, string];
  const jobIds = await Promise.all(Array.from({ length: 8 }, () => submit(doomed, 400)));
  await expect.poll(() => hosts.reduce((sum, host) => sum + host.posted(), 0)).toBeGreaterThan(2);
  const killed = [apis[0]!.program, forwarders[0].program, controller];
  for (const program of killed) program.signal('SIGKILL');
  expect(await Promise.all(killed.map(({ ended }) => ended))).toEqual(['SIGKILL', 'SIGKILL', 'SIGKILL']);

  jobIds.push(...(await Promise.all([submit(other, 50), submit(other, 50)])));
  for (const jobId of jobIds)
    expect(await untilStatus(other, jobId, 'completed')).toMatchObject({ attempts: 1 });
  // Each came back where it was: nothing but the address was lost.
  const again = await deployment().addApi({ API_PORT: new URL(doomed).port });
  expect(again.url).toBe(doomed);
  await untilStatus(doomed, await submit(doomed, 0), 'completed');
});

test('one host process for several ComfyUIs: each gets offers, and one that dies stops no other', async () => {
  const forwarder = await deployment().addForwarder();
  const { url } = await deployment().addApi({ FORWARDER_URL: forwarder.url, FIXED_COMFYUI: 'true' });
  const doomed = await startSimulatedComfyUI({ stepMs: 1 });
  const other = await startSimulatedComfyUI({ stepMs: 1 });
  const comfyuis = [doomed, other];
  const workspace = await mkdtemp(join(deployment().storage.directory, 'host-'));
  const program = deployment().start('host', {
    COMFYUI_URLS: comfyuis.map((comfyui) => comfyui.url).join(','),
    WORKSPACE_PATH: workspace,
  });
  await program.until(/"ready":true/);
  const items = await deployment().behind.hosts.list();
  expect(new Set(items.map(({ comfyuiUrl }) => comfyuiUrl))).toEqual(new Set(comfyuis.map((one) => one.url)));
  expect(new Set(items.map(({ url: intake }) => intake)).size).toBe(2);
  // More than the slots of one.
  const jobIds = await Promise.all(Array.from({ length: 6 }, () => submit(url, 300)));
  for (const jobId of jobIds) await untilStatus(url, jobId, 'completed');
  const posted = ({ requests }: typeof doomed) =>
    requests.filter(({ path }) => path.endsWith('/prompt')).length;
  expect(Math.min(posted(doomed), posted(other))).toBeGreaterThan(0);
  await doomed.close();
  for (let n = 0; n < 3; n += 1) await untilStatus(url, await submit(url, 0), 'completed');
  program.signal('SIGTERM');
  expect(await program.ended).toBe(0);
  expect(await deployment().behind.hosts.list()).toEqual([]);
  await other.close();
});

test('a second host process on one machine says what to change, and the first goes on', async () => {
  const api = await deployment().addApi();
  const { comfyui, workspace, program } = await deployment().addHost();
  const second = deployment().start('host', {
    COMFYUI_PORT: String(comfyui.port),
    WORKSPACE_PATH: workspace,
  });
  expect(await second.ended).toBe(1);
  expect(second.output()).toMatch(new RegExp(`^.*${workspace}.*WORKSPACE_PATH\n$`));
  await untilStatus(api.url, await submit(api.url, 0), 'completed');
  // The lock goes with the process, however it ends.
  program.signal('SIGKILL');
  await program.ended;
  const third = deployment().start('host', { COMFYUI_PORT: String(comfyui.port), WORKSPACE_PATH: workspace });
  await deployment().up(third);
});

test('an API takes over a template that is changed', async () => {
  const workflows = await mkdtemp(join(deployment().storage.directory, 'workflows-'));
  await cp('test/workflows', workflows, { recursive: true });
  const { url } = await deployment().addApi({ WORKFLOWS_PATH: workflows });
  const file = join(workflows, 'slow.inputs.json');
  await writeFile(file, (await readFile(file, 'utf8')).replace('An image that takes its time', 'Slow'));
  await expect
    .poll(async () => (await fetch(`${url}/api/workflows/slow`)).json(), { timeout: 10_000 })
    .toMatchObject({ title: 'Slow' });
});

test('a host with a COMFYUI_PATH that is no ComfyUI folder says so, and runs', async () => {
  const comfyui = await startSimulatedComfyUI({ stepMs: 1 });
  const where = {
    COMFYUI_PORT: String(comfyui.port),
    WORKSPACE_PATH: join(deployment().storage.directory, 'said'),
  };
  const host = deployment().start('host', { ...where, COMFYUI_PATH: deployment().storage.directory });
  await deployment().up(host);
  expect(host.stderr()).toContain(`COMFYUI_PATH should be ComfyUI's folder`);
  await comfyui.close();
});

describe('one line and exit 1', () => {
  let own: string;
  beforeEach(async () => {
    own = join(deployment().storage.directory, 'own');
    await mkdir(own, { recursive: true });
  });

  async function refused(
    name: Parameters<Deployment['start']>[0],
    env: Record<string, string>,
  ): Promise<string> {
    const program = deployment().start(name, { WORKSPACE_PATH: own, ...env });
    expect([await program.ended, program.output().trim().split('\n').length, program.output()]).toEqual([
      1,
      1,
      program.stderr(),
    ]);
    return program.stderr();
  }

  test.each([
    ['api', 'API_PORT', 'five', 'must be a port from 0 to 65535'],
    ['api', 'API_HOST', '203.0.113.7', 'is no address of this machine'],
    ['api', 'MAX_WAITING', '0', 'must be a whole number above 0'],
    ['api', 'KEEP_DAYS', '-1', 'must be a number of days above 0, at most 3650'],
    ['api', 'FIXED_COMFYUI', 'perhaps', 'must be true or false'],
    ['api', 'PUBLIC_URL', 'images', 'must be an address such as'],
    ['api', 'WORKFLOWS_PATH', '/nowhere', 'must be a folder with workflows'],
    ['api', 'AWS_ENDPOINT_URL_S3', '127.0.0.1:9000', 'must be an address such as'],
    ['api', 'FORWARDER_URL', 'localhost:5001', 'must be an address such as'],
    ['forwarder', 'FORWARDER_PORT', '-1', 'must be a port from 0 to 65535'],
    ['forwarder', 'AWS_ENDPOINT_URL_DYNAMODB', 'localhost:8000', 'must be an address such as'],
    ['controller', 'SWEEP_EVERY_MS', '0', 'must be a whole number of milliseconds from 1'],
    ['controller', 'SWEEP_EVERY_MS', '1e12', 'must be a whole number of milliseconds from 1'],
    ['host', 'SLOTS', '0', 'must be a whole number from 1 to 64'],
    ['host', 'INTAKE_PORT', '70000', 'must be a port from 0 to 65535'],
    ['host', 'INTAKE_HOST', '203.0.113.7', 'is no address of this machine'],
    ['host', 'INTAKE_URL', 'gpu-1:5002', 'must be an address that the forwarder reaches'],
    ['host', 'COMFYUI_HOST', 'a b', 'must be a host name or an address'],
    ['host', 'WORKSPACE_PATH', '/dev/null/x', 'must be a folder that can be written'],
    // Where nothing answers, and where there are no such tables.
    ['host', 'AWS_ENDPOINT_URL_DYNAMODB', 'http://127.0.0.1:1', 'ECONNREFUSED'],
    ['host', 'TABLE_PREFIX', 'elsewhere-', 'does not serve this process'],
    ['host', 'AWS_ACCESS_KEY_ID', '', 'the credentials'],
  ] as const)('%s: %s=%s', async (name, setting, value, says) => {
    const line = await refused(name, { [setting]: value });
    expect(line).toContain(setting.startsWith('AWS_ACCESS') ? 'credentials' : setting);
    expect(line).toContain(says);
  });

  test.each([
    ['api', 'API_PORT'],
    ['forwarder', 'FORWARDER_PORT'],
    ['host', 'INTAKE_PORT'],
  ] as const)('%s: a port in use names %s', async (name, setting) => {
    const server = createServer();
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    const { port } = server.address() as AddressInfo;
    try {
      expect(await refused(name, { [setting]: String(port) })).toMatch(
        new RegExp(`^Port ${port} .*${setting} .*${port + 1}\n$`),
      );
    } finally {
      server.close();
    }
  });
});
