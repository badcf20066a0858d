// How fast a queue runs off: instant jobs by many callers, and whether ComfyUI ever waits for us.
// Every image is checked to be that of its own job.

import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { collect, connectBare, freshColor, isImageOf, submit } from './client.ts';
import { type BenchOptions, median, round, type Row } from './report.ts';
import { graphOf, withProduct, withSimulatedComfyUI, WORKFLOWS } from './subjects.ts';

const CALLERS = 16;
const EVERY = 50;

interface Run {
  perSecond: number;
  right: number;
}

/** Each caller submits its share, then collects. */
export async function runOff(
  jobs: number,
  submitOne: (color: number) => Promise<() => Promise<Buffer | undefined>>,
): Promise<Run> {
  const start = performance.now();
  const right = await Promise.all(
    Array.from({ length: CALLERS }, async (_, caller) => {
      const submitted: { color: number; image: () => Promise<Buffer | undefined> }[] = [];
      for (let job = caller; job < jobs; job += CALLERS) {
        const color = freshColor();
        submitted.push({ color, image: await submitOne(color) });
      }
      let found = 0;
      for (const { color, image } of submitted) {
        const bytes = await image();
        if (bytes && isImageOf(bytes, color)) found += 1;
      }
      return found;
    }),
  );
  const seconds = (performance.now() - start) / 1000;
  return { perSecond: jobs / seconds, right: right.reduce((sum, count) => sum + count, 0) };
}

export function throughput(options: BenchOptions): Promise<Row[]> {
  const jobs = options.quick ? 96 : 200;
  const rounds = options.quick ? 1 : 3;
  return withSimulatedComfyUI((comfyui) =>
    withProduct(options, comfyui, WORKFLOWS, async ({ url }) => {
      const bare = await connectBare(comfyui);
      const viaBare = async (color: number) => {
        const image = bare.image(await graphOf('instant', { color }));
        return () => image;
      };
      const viaApi = async (color: number) => {
        const jobId = await submit(url, { workflow: 'instant', color });
        return () => collect(url, jobId, EVERY);
      };
      // A process that runs for days is compiled; one of a minute is not.
      await runOff(options.quick ? CALLERS * 2 : 400, viaApi);
      const theirs: Run[] = [];
      const ours: Run[] = [];
      for (let count = 0; count < rounds; count += 1) {
        theirs.push(await runOff(jobs, viaBare));
        ours.push(await runOff(jobs, viaApi));
      }
      bare.close();
      const rates = ours.map(({ perSecond }) => perSecond);
      const bareRates = theirs.map(({ perSecond }) => perSecond);
      return [
        {
          name: `${jobs} instant jobs by ${CALLERS} callers`,
          measured: median(rates),
          unit: 'jobs/s',
          target: { atLeast: 80 },
          note: `rounds ${rates.map(round).join(', ')}; bare ${bareRates.map(round).join(', ')}`,
        },
        {
          name: 'of these right, worst round',
          measured: Math.min(...ours.map(({ right }) => right)),
          unit: 'jobs',
          target: { atLeast: jobs },
        },
      ];
    }),
  );
}

export function idle(options: BenchOptions): Promise<Row[]> {
  const jobs = options.quick ? 8 : 50;
  return withSimulatedComfyUI((comfyui) =>
    withProduct(options, comfyui, WORKFLOWS, async ({ url }) => {
      const watch = await watchQueue(comfyui);
      const ids: string[] = [];
      for (let seed = 0; seed < jobs; seed += 1)
        ids.push(await submit(url, { workflow: 'slow', ms: 1000, seed, color: freshColor() }));
      for (const id of ids) await collect(url, id, 200);
      const { idleMs, spanMs } = watch.stop();
      return [
        {
          name: `${jobs} one-second jobs, ComfyUI idle`,
          measured: (100 * idleMs) / spanMs,
          unit: '%',
          target: { atMost: 2 },
          note: `${round(idleMs)} ms of ${round(spanMs / 1000)} s, as ComfyUI's own announcements of its queue tell`,
        },
      ];
    }),
  );
}

/** ComfyUI tells everybody how many prompts are in it, the running one included, whenever that changes. */
async function watchQueue(comfyui: string): Promise<{ stop(): { idleMs: number; spanMs: number } }> {
  const socket = new WebSocket(`${comfyui.replace(/^http/, 'ws')}/ws?clientId=${randomUUID()}`);
  let first: number | undefined;
  let emptySince: number | undefined;
  let idleMs = 0;
  socket.on('message', (data: Buffer, isBinary: boolean) => {
    const { type, data: told } = (isBinary ? {} : JSON.parse(data.toString())) as {
      type?: string;
      data?: { status?: { exec_info: { queue_remaining: number } } };
    };
    const remaining = told?.status?.exec_info.queue_remaining;
    if (type !== 'status' || remaining === undefined) return;
    const now = performance.now();
    if (remaining > 0) {
      if (emptySince !== undefined) idleMs += now - emptySince;
      emptySince = undefined;
      first ??= now;
    } else if (first !== undefined) emptySince ??= now;
  });
  await once(socket, 'open');
  return {
    stop() {
      socket.close();
      return { idleMs, spanMs: (emptySince ?? performance.now()) - (first ?? 0) };
    },
  };
}
