// Does a long queue make anything dear? A status and a look of the forwarder, at 10 waiting jobs and at thousands,
// in turns. The store is the embedded DynamoDB on disk, the rest runs here.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { forward } from '../../functions/forwarder/forward.ts';
import type { ApiApp } from '../../functions/api/deps.ts';
import { inParallel, PROMPT } from './accept.ts';
import { type BenchOptions, mean, median, round, type Row } from './report.ts';
import { type Rig, type Store, withRig } from './rig.ts';
import { log } from './subjects.ts';

const FEW = 10;

interface Queue {
  app: ApiApp;
  store: Store;
  jobIds: string[];
}

interface Times {
  few: number[];
  many: number[];
}

export function waiting({ quick }: BenchOptions): Promise<Row[]> {
  const many = quick ? 1000 : 10_000;
  const rounds = quick ? 4 : 10;
  return withRig((few) =>
    withRig(async (other) =>
      withFullIntake(async (url) => {
        const queues = { few: await fill(few, FEW, url), many: await fill(other, many, url) };
        const status = await inTurns(queues, rounds, 60, async ({ app, jobIds }, turn) => {
          const id = jobIds[(turn * 7919) % jobIds.length]!;
          const response = await app.request(`/api/status/${id}`);
          if (response.status !== 200) throw new Error(`status ${response.status}`);
          await response.text();
        });
        const poll = await inTurns(queues, rounds, 30, async ({ store }) => {
          await forward({ jobs: store.jobs, hosts: store.hosts, now: store.now, log });
        });
        return [row('GET /api/status', many, status), row('a look of the forwarder', many, poll)];
      }),
    ),
  );
}

function row(name: string, many: number, times: Times): Row {
  const tell = (values: number[]) => `${round(median(values))} (mean ${round(mean(values))})`;
  return {
    name: `${name}, ${many} waiting to ${FEW}`,
    measured: median(times.many) / median(times.few),
    unit: '×',
    target: { atMost: 1.3 },
    note: `median ms ${tell(times.many)} to ${tell(times.few)}`,
  };
}

async function fill(rig: Rig, jobs: number, intake: string): Promise<Queue> {
  const store = rig.connect();
  const app = await rig.api(store);
  const jobIds = await inParallel(Array.from({ length: jobs }), async () => {
    const response = await app.request('/api/generate', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ prompt: PROMPT }),
    });
    return ((await response.json()) as { job_id: string }).job_id;
  });
  const seenAt = store.now() + 3_600_000;
  await store.hosts.putIntake('bench.1', 'bench', seenAt);
  await store.hosts.put({
    hostId: 'bench.1',
    machineId: 'bench',
    url: intake,
    state: 'ready',
    slots: 2,
    held: 0,
    models: [],
    seenAt,
    startedAt: seenAt,
    simulated: true,
    comfyui: true,
    devices: [],
  });
  return { app, store, jobIds };
}

async function inTurns(
  queues: { few: Queue; many: Queue },
  rounds: number,
  each: number,
  once: (queue: Queue, turn: number) => Promise<void>,
): Promise<Times> {
  const times: Times = { few: [], many: [] };
  for (let turn = 0; turn < 20; turn += 1) for (const queue of Object.values(queues)) await once(queue, turn);
  for (let count = 0; count < rounds; count += 1)
    for (const size of ['few', 'many'] as const)
      for (let turn = 0; turn < each; turn += 1) {
        const from = performance.now();
        await once(queues[size], count * each + turn);
        times[size].push(performance.now() - from);
      }
  return times;
}

/** Takes every offer and does nothing with it: the queue stays as long as it is. */
async function withFullIntake<T>(work: (url: string) => Promise<T>): Promise<T> {
  const server = createServer((request, response) => {
    request.resume();
    response.writeHead(202).end();
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  try {
    return await work(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.close();
    server.closeAllConnections();
  }
}
