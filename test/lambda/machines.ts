// EC2 behind a small Auto Scaling: an instance is the host's bundle as a process, beside a simulated ComfyUI and with
// instance metadata that announces nothing. An instance that is ended takes its processes with it.

import { mkdtemp } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type SimulatedComfyUI, startSimulatedComfyUI } from '../../simulated-comfyui/server.ts';
import { packageRoot } from '../../functions/runtime/workflows.ts';
import { type FakeAutoScaling, GROUP } from '../machines/fake-auto-scaling.ts';
import { type Program, startCommand } from '../support/program.ts';

interface Machine {
  host: Program;
  comfyui: SimulatedComfyUI;
}

export interface Machines {
  /** What the hosts of all instances have printed. */
  output(): string;
  close(): Promise<void>;
}

/** Auto Scaling looks so often, ms. */
const PERIOD = 100;

/** @param environment of every host: where the tables, the bucket and Auto Scaling are */
export async function startMachines(
  group: FakeAutoScaling,
  directory: string,
  environment: Record<string, string>,
): Promise<Machines> {
  const metadata = createServer((req, res) => {
    req.resume();
    if (req.method === 'PUT') res.end('token');
    else res.writeHead(404).end();
  });
  await new Promise<void>((resolve) => {
    metadata.listen(0, '127.0.0.1', resolve);
  });
  const metadataUrl = `http://127.0.0.1:${(metadata.address() as AddressInfo).port}`;
  const machines = new Map<string, Promise<Machine>>();
  const ended: Machine[] = [];

  async function launch(id: string): Promise<Machine> {
    const comfyui = await startSimulatedComfyUI({ stepMs: 5 });
    const host = startCommand(process.execPath, [join(packageRoot(), '.build', 'host', 'host.mjs')], {
      PATH: process.env['PATH'] ?? '',
      AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
      ...environment,
      AUTO_SCALING_GROUP: GROUP,
      AWS_ENDPOINT_URL_AUTO_SCALING: group.url,
      AWS_EC2_METADATA_SERVICE_ENDPOINT: metadataUrl,
      INSTANCE_ID: id,
      LAUNCHED_AT: new Date().toISOString(),
      COMFYUI_PORT: String(comfyui.port),
      INTAKE_PORT: '0',
      WORKSPACE_PATH: await mkdtemp(join(directory, 'machine-')),
    });
    return { host, comfyui };
  }

  async function end(machine: Machine): Promise<void> {
    ended.push(machine);
    machine.host.stop();
    await machine.host.ended;
    await machine.comfyui.close();
  }

  let polling = Promise.resolve();
  async function poll(): Promise<void> {
    group.pass(Date.now());
    for (const id of group.instances.keys()) if (!machines.has(id)) machines.set(id, launch(id));
    for (const [id, machine] of machines)
      if (!group.instances.has(id)) {
        machines.delete(id);
        await end(await machine);
      }
    running = await Promise.all(machines.values());
  }
  let running: Machine[] = [];
  const timer = setInterval(() => {
    polling = polling.then(poll);
  }, PERIOD);

  return {
    output: () => [...ended, ...running].map(({ host }) => host.output()).join(''),
    async close() {
      clearInterval(timer);
      await polling;
      await Promise.all([...machines.values()].map(async (machine) => end(await machine)));
      await new Promise((resolve) => {
        metadata.close(resolve);
        metadata.closeAllConnections();
      });
    },
  };
}
