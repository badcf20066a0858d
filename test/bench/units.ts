// What a job costs on DynamoDB, by its pricing rules and by the requests that the product really makes: one job of a
// 500-character prompt through API, forwarder and host, and a host that idles.

import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ApiApp } from '../../functions/api/deps.ts';
import { createComfyUI } from '../../functions/comfyui/client.ts';
import { createForwarder } from '../../functions/forwarder/forwarder.ts';
import { type RunningHost, startHost } from '../../functions/host/host.ts';
import { createIntake } from '../../functions/host/claims/intake.ts';
import { listen, listenerOf } from '../../functions/runtime/listen.ts';
import { PROMPT } from './accept.ts';
import { type Charge, meter } from '../../functions/cli/simulate/meter.ts';
import { DOLLARS } from '../../functions/cli/simulate/pricing.ts';
import { type BenchOptions, round, type Row } from './report.ts';
import { type Rig, withRig } from './rig.ts';
import { log, withSimulatedComfyUI } from './subjects.ts';

const HOUR = 3600;

export function units({ quick }: BenchOptions): Promise<Row[]> {
  return withSimulatedComfyUI((comfyui) => withRig((rig) => measure(rig, comfyui, quick ? 6 : 21)));
}

async function measure(rig: Rig, comfyui: string, idleSeconds: number): Promise<Row[]> {
  const charges: Charge[] = [];
  const plain = rig.connect().client.raw;
  const metered = (by: string) => {
    const store = rig.connect();
    meter(by, store.client, plain, charges);
    return store;
  };
  const forwarding = metered('forwarder');
  const forwarder = createForwarder({ ...forwarding, log });
  const app = await rig.api(metered('api'), () => forwarder.nudge());

  const { jobs, hosts, spread, ledgers, now } = metered('host');
  let running: RunningHost | undefined;
  const intake = await listen(listenerOf(createIntake(() => running, now)), '127.0.0.1', 0);
  running = await startHost({
    jobs,
    hosts,
    spread,
    ledgers,
    images: rig.images,
    comfyui: createComfyUI(comfyui),
    log,
    now,
    machineId: randomUUID(),
    url: `http://127.0.0.1:${intake.port}`,
    slots: 2,
  });
  await sleep(1500);

  charges.length = 0;
  await sleep(idleSeconds * 1000);
  const idle = sum(charges.filter(({ by }) => by === 'host'));
  const factor = HOUR / idleSeconds;
  const idleRow: Row = {
    name: 'an idle host, an hour',
    measured: dollars({ writes: idle.writes * factor, reads: idle.reads * factor }),
    unit: '$',
    note: `${round(idle.writes * factor)} write units, ${round(idle.reads * factor)} read units`,
  };

  charges.length = 0;
  const jobId = await generate(app);
  // So that nothing of the API's own looks is among it.
  await sleep(12_000);
  const ofJob = [...charges];
  charges.length = 0;
  const status = await app.request(`/api/status/${jobId}`);
  const { status: ended } = (await status.json()) as { status: string };
  if (ended !== 'completed') throw new Error(`the job is ${ended}`);
  const ofPoll = sum(charges.filter(({ by }) => by === 'api'));
  await running.drain();
  await intake.close();
  return [...rowsOfJob(ofJob), pollRow(ofPoll), idleRow];
}

async function generate(app: ApiApp): Promise<string> {
  const response = await app.request('/api/generate', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    // 25 steps, as they come: what they cost is told apart.
    body: JSON.stringify({ prompt: PROMPT }),
  });
  if (response.status !== 202) throw new Error(await response.text());
  return ((await response.json()) as { job_id: string }).job_id;
}

function rowsOfJob(charges: readonly Charge[]): Row[] {
  const writes = charges.filter(({ writes, what }) => writes > 0 && what !== 'heartbeat');
  const names = [...new Set(writes.map(({ what }) => what))];
  const parts = names.map((name) => {
    const own = writes.filter(({ what }) => what === name);
    const times = own.length > 1 ? `, ${own.length} times` : '';
    return `${name} ${sum(own).writes}${times}`;
  });
  const needed = sum(writes.filter(({ what }) => what !== 'progress')).writes;
  const progress = sum(writes.filter(({ what }) => what === 'progress')).writes;
  const reads = (by: string) => charges.filter((charge) => charge.by === by && charge.reads > 0);
  const told = (of: Charge[]) => of.map(({ what, reads }) => `${what} ${reads}`).join(', ');
  return [
    {
      name: 'a job on DynamoDB, without progress',
      measured: needed,
      unit: 'write units',
      target: { atMost: 12 },
      note: parts.join(', '),
    },
    { name: 'its progress, 2 s long', measured: progress, unit: 'write units' },
    {
      name: 'a million such jobs, writes',
      measured: needed * DOLLARS.writes,
      unit: '$',
    },
    {
      name: 'accepting it',
      measured: sum(reads('api')).reads,
      unit: 'read units',
      note: told(reads('api')),
    },
    {
      name: 'offering it',
      measured: sum(reads('forwarder')).reads,
      unit: 'read units',
      note: told(reads('forwarder')),
    },
    {
      name: 'a host with it, 12 s, its looks included',
      measured: sum(reads('host')).reads,
      unit: 'read units',
      note: countsOf(reads('host')),
    },
  ];
}

function countsOf(charges: readonly Charge[]): string {
  const names = [...new Set(charges.map(({ what }) => what))];
  return names
    .map((name) => {
      const own = charges.filter(({ what }) => what === name);
      return `${own.length} × ${name} ${round(sum(own).reads)}`;
    })
    .join(', ');
}

function pollRow(poll: { reads: number; writes: number }): Row {
  return {
    name: 'a status, the job ended',
    measured: poll.reads,
    unit: 'read units',
    note: `a million of them $${round(dollars(poll) * 1e6)}`,
  };
}

function sum(charges: readonly Charge[]): { writes: number; reads: number } {
  return {
    writes: charges.reduce((total, { writes }) => total + writes, 0),
    reads: charges.reduce((total, { reads }) => total + reads, 0),
  };
}

function dollars({ writes, reads }: { writes: number; reads: number }): number {
  return (writes * DOLLARS.writes + reads * DOLLARS.reads) / 1e6;
}
