// Does anything grow without end? Ten thousand instant jobs through a product that keeps them for a minute: its disk,
// its files, its memory and what it leaves in ComfyUI, every few seconds, and once more when all should be gone.

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { callJson, collect, freshColor, submit } from './client.ts';
import { type BenchOptions, round, type Row } from './report.ts';
import { type Product, withProduct, withSimulatedComfyUI, WORKFLOWS } from './subjects.ts';

const run = promisify(execFile);
const CALLERS = 16;
const SAMPLED_EVERY = 5000;
/** What is kept is what a minute makes, and the rate of jobs is not the same all the time. */
const BOUNDED = 1.5;
/** Of prompts and files: a second's worth is removed each second, and the removal has its turn like everything else. */
const LEFT_IN_COMFYUI = 500;

interface Sample {
  seconds: number;
  jobs: number;
  tableMB: number;
  bucketMB: number;
  files: number;
  history: number;
  outputs: number;
  memoryMB: number;
}

export function retention(options: BenchOptions): Promise<Row[]> {
  const jobs = options.quick ? 1500 : 10_000;
  const keepSeconds = options.quick ? 10 : 60;
  return withSimulatedComfyUI((comfyui, folder) =>
    withProduct(
      options,
      comfyui,
      WORKFLOWS,
      (product) => watch(product, comfyui, folder, jobs, keepSeconds),
      {
        KEEP_DAYS: String(keepSeconds / (24 * 60 * 60)),
        COMFYUI_PATH: folder,
      },
    ),
  );
}

async function watch(
  product: Product,
  comfyui: string,
  folder: string,
  jobs: number,
  keepSeconds: number,
): Promise<Row[]> {
  const from = performance.now();
  let done = 0;
  const samples: Sample[] = [];
  const take = async () => {
    const sample = await poll(product, comfyui, folder, (performance.now() - from) / 1000, done);
    samples.push(sample);
    process.stdout.write(`${lineOf(sample)}\n`);
  };
  process.stdout.write(`${HEAD}\n`);

  let left = jobs;
  const caller = async () => {
    while (left > 0) {
      left -= 1;
      await collect(product.url, await submit(product.url, { workflow: 'instant', color: freshColor() }), 50);
      done += 1;
    }
  };
  let running = true;
  const callers = Promise.all(Array.from({ length: CALLERS }, caller)).finally(() => (running = false));
  while (running) {
    await Promise.race([sleep(SAMPLED_EVERY), callers]);
    await take();
  }
  await callers;
  const atEnd = samples.at(-1)!;
  const atThird = samples.find((sample) => sample.jobs >= jobs / 3)!;
  // All have had their time, and the rounds that remove them theirs.
  await sleep((keepSeconds + 10) * 1000);
  await take();
  const afterwards = samples.at(-1)!;

  const told = (what: (sample: Sample) => number) =>
    `${round(what(atThird))} after ${atThird.jobs}, ${round(what(atEnd))} after ${atEnd.jobs}, ${round(what(afterwards))} ${keepSeconds + 10} s later`;
  const grown = (name: string, what: (sample: Sample) => number): Row => ({
    name: `${name}, at the end to a third of the way`,
    measured: what(atEnd) / what(atThird),
    unit: '×',
    target: { atMost: BOUNDED },
    note: told(what),
  });
  const most = (name: string, what: (sample: Sample) => number): Row => ({
    name,
    measured: Math.max(...samples.map(what)),
    unit: '',
    target: { atMost: LEFT_IN_COMFYUI },
  });
  return [
    {
      name: `${jobs} jobs kept for ${keepSeconds} s`,
      measured: jobs / atEnd.seconds,
      unit: 'jobs/s',
      note: `by ${CALLERS} callers`,
    },
    grown("the workspace's MB", ({ tableMB, bucketMB }) => tableMB + bucketMB),
    grown("the table's MB", ({ tableMB }) => tableMB),
    grown('files', ({ files }) => files),
    grown('MB of memory', ({ memoryMB }) => memoryMB),
    most("most entries in ComfyUI's history", ({ history }) => history),
    most("most files in ComfyUI's output", ({ outputs }) => outputs),
  ];
}

async function poll(
  { directory, memory }: Product,
  comfyui: string,
  folder: string,
  seconds: number,
  jobs: number,
): Promise<Sample> {
  const [tableMB, bucketMB, files, outputs, history, memoryMB] = await Promise.all([
    megabytes(join(directory, 'tables.mdb')),
    megabytes(join(directory, 'images')),
    countFiles(directory),
    countFiles(join(folder, 'output')),
    callJson<Record<string, unknown>>(`${comfyui}/history`),
    memory(),
  ]);
  return {
    seconds,
    jobs,
    tableMB,
    bucketMB,
    files,
    outputs,
    history: Object.keys(history).length,
    memoryMB,
  };
}

/**
 * What a file or folder takes on the disk. Files vanish while they are counted: du says so, and goes on.
 * @throws what du says if it is not there
 */
async function megabytes(path: string): Promise<number> {
  const { stdout } = await run('du', ['-sk', path]).catch((error: unknown) => {
    if ((error as { stdout: string }).stdout === '') throw error;
    return error as { stdout: string };
  });
  return Number(stdout.split('\t')[0]) / 1024;
}

async function countFiles(folder: string): Promise<number> {
  const { stdout } = await run('find', [folder, '-type', 'f'], { maxBuffer: 2 ** 26 }).catch(
    (error: unknown) => error as { stdout: string },
  );
  return stdout.split('\n').length - 1;
}

const COLUMNS: [string, (sample: Sample) => number][] = [
  ['s', ({ seconds }) => seconds],
  ['jobs', ({ jobs }) => jobs],
  ['table MB', ({ tableMB }) => tableMB],
  ['bucket MB', ({ bucketMB }) => bucketMB],
  ['files', ({ files }) => files],
  ['memory MB', ({ memoryMB }) => memoryMB],
  ['history', ({ history }) => history],
  ['outputs', ({ outputs }) => outputs],
];
const HEAD = COLUMNS.map(([name]) => name.padStart(9)).join(' ');
const lineOf = (sample: Sample) =>
  COLUMNS.map(([, what]) => String(Math.round(what(sample) * 10) / 10).padStart(9)).join(' ');
