// Does a workspace that was used for long make anything dear? 100,000 ended and 9,000 waiting jobs (10,000 may wait) beside ten of
// each: the start, an acceptance, a status, a place in the queue, the list of outputs.

import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { imageName, jobIdFrom, listOrder, ownerOrder, workOrder } from '../../functions/core/names.ts';
import { type EmbeddedEngine, openEmbedded } from '../../functions/store/embedded/engine.ts';
import { jobsTable } from '../../functions/store/tables.ts';
import { callJson, submit } from './client.ts';
import { type BenchOptions, median, round, type Row } from './report.ts';
import { withFolder, withProduct } from './subjects.ts';

const FEW = 10;
const TOGETHER = 2000;
const STARTS = 3;
const TRIES = 60;
/** No ComfyUI is there. */
const CLOSED = 'http://127.0.0.1:1';

/** The two parts of a job, as the API and a host would have left them. */
function itemsOf(createdAt: number, ended: boolean): Record<string, unknown>[] {
  const jobId = jobIdFrom({ random: randomBytes(16) });
  const order = ownerOrder(createdAt, jobId);
  const common = { v: 1, jobId, owner: 'local', expiresAt: Math.ceil(Date.now() / 1000) + 1_000_000 };
  const filename = imageName('bench', jobId, 1, 'png');
  return [
    {
      ...common,
      part: 'request',
      workflow: 'flux2_turbo_default',
      inputs: { prompt: 'a serene mountain landscape '.repeat(10), steps: 8 },
      notes: [],
      bodyHash: '',
      staging: [],
      graph: randomBytes(900),
    },
    {
      ...common,
      part: 'state',
      status: ended ? 'completed' : 'queued',
      attempt: ended ? 1 : 0,
      faults: 0,
      workOrder: workOrder(createdAt, 0, jobId, 'local'),
      ownerOrder: order,
      createdAt,
      progress: ended ? 1 : 0,
      currentStep: 0,
      totalSteps: 8,
      ...(ended
        ? {
            endedAt: createdAt + 1,
            listOrder: listOrder('completed', order, 1),
            images: [{ filename, node: '11', width: 256, height: 256, sizeBytes: 10 }],
          }
        : { work: 'waiting' }),
    },
  ];
}

/** @returns the ids of some jobs that wait */
async function fill(engine: EmbeddedEngine, ended: number, waiting: number): Promise<string[]> {
  const start = Date.now() - 3_600_000;
  const waits: string[] = [];
  for (let from = 0; from < ended + waiting; from += TOGETHER) {
    const count = Math.min(TOGETHER, ended + waiting - from);
    const items = Array.from({ length: count }, (_, n) => itemsOf(start + from + n, from + n < ended)).flat();
    await engine.table(jobsTable).putMissing(items);
    if (waits.length < TRIES)
      waits.push(
        ...items.flatMap(({ jobId, work }) => (work === 'waiting' ? [String(jobId)] : [])).slice(0, TRIES),
      );
  }
  return waits;
}

type Times = Record<'start' | 'accept' | 'status' | 'queue' | 'outputs', number[]>;
const none = (): Times => ({ start: [], accept: [], status: [], queue: [], outputs: [] });

async function measureIn(
  options: BenchOptions,
  directory: string,
  waits: string[],
  times: Times,
): Promise<void> {
  const from = performance.now();
  await withProduct(
    options,
    CLOSED,
    undefined,
    async ({ url }) => {
      times.start.push(performance.now() - from);
      const timed = async (name: keyof Times, ask: () => Promise<unknown>) => {
        const asked = performance.now();
        await ask();
        times[name].push(performance.now() - asked);
      };
      for (let nth = 0; nth < TRIES; nth += 1) {
        const id = waits[nth % waits.length]!;
        await timed('accept', () => submit(url, { prompt: 'a red fox' }));
        await timed('status', () => callJson(`${url}/api/status/${id}`));
        await timed('queue', () => callJson(`${url}/api/queue?limit=5`));
        await timed('outputs', () => callJson(`${url}/api/outputs?limit=5`));
      }
    },
    { WORKSPACE_PATH: directory },
  );
}

export function workspace(options: BenchOptions): Promise<Row[]> {
  const [ended, waiting] = options.quick ? [10_000, 1000] : [100_000, 9000];
  return withFolder(async (root) => {
    const subjects = [];
    for (const [name, ends, waits] of [
      ['few', FEW, FEW],
      ['many', ended, waiting],
    ] as const) {
      const directory = join(root, name);
      await mkdir(directory);
      const engine = openEmbedded({ directory });
      const ids = await fill(engine, ends, waits);
      await engine.close();
      subjects.push({ directory, ids, times: none() });
    }
    for (let turn = 0; turn < STARTS; turn += 1)
      for (const { directory, ids, times } of subjects) await measureIn(options, directory, ids, times);
    const [few, many] = subjects.map(({ times }) => times);
    return (Object.keys(few!) as (keyof Times)[]).map((name) => ({
      name: `${name}, ${ended} ended and ${waiting} waiting to ${FEW} and ${FEW}`,
      measured: median(many![name]) / median(few![name]),
      unit: '×',
      target: { atMost: 1.3 },
      note: `median ms ${round(median(many![name]))} to ${round(median(few![name]))}`,
    }));
  });
}
