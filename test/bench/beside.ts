// The product beside a bare client and comfy-api-proxy, in turns on one ComfyUI: what matters are the ratios within a run.

import { callJson, call, collect, connectBare, freshColor, isImageOf, submit } from './client.ts';
import { withProxy } from './proxy.ts';
import { type BenchOptions, median, p50p99, quantile, round, type Row } from './report.ts';
import { graphOf, withProduct, withSimulatedComfyUI, WORKFLOWS } from './subjects.ts';
import { runOff } from './throughput.ts';

export type Submit = (color: number) => Promise<() => Promise<Buffer | undefined>>;

/** ms of each acceptance; every job is collected before this resolves. */
export async function accepts(jobs: number, callers: number, submitOne: Submit): Promise<number[]> {
  const times: number[] = [];
  const images: Promise<unknown>[] = [];
  let left = jobs;
  const caller = async () => {
    while (left > 0) {
      left -= 1;
      const from = performance.now();
      const image = await submitOne(freshColor());
      times.push(performance.now() - from);
      images.push(image());
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  await Promise.all(images);
  return times;
}

/**
 * ms of whole jobs, one after the other.
 * @param lost called for a job that is said to have ended without a result; absent: an error
 */
export async function jobs(count: number, submitOne: Submit, lost?: () => void): Promise<number[]> {
  const times: number[] = [];
  for (let nth = 0; nth < count; nth += 1) {
    const color = freshColor();
    const from = performance.now();
    const image = await (await submitOne(color))();
    if (!image && lost) {
      lost();
      continue;
    }
    times.push(performance.now() - from);
    if (!image || !isImageOf(image, color)) throw new Error('another image came');
  }
  return times;
}

interface Waited {
  status: string;
  event_id: string;
  images: { url: string }[];
}

/** By `?wait`, from one change to the next. */
async function waitFor(url: string, jobId: string): Promise<Buffer> {
  for (let since = ''; ;) {
    const { status, event_id, images } = await callJson<Waited>(`${url}/api/status/${jobId}?wait=20${since}`);
    if (status === 'completed') return (await call(images[0]!.url)).body;
    if (status !== 'queued' && status !== 'processing') throw new Error(`job ${jobId} is ${status}`);
    since = `&since=${event_id}`;
  }
}

export function beside(options: BenchOptions): Promise<Row[]> {
  const { quick, comfyuiUrl } = options;
  return comfyuiUrl === undefined
    ? withSimulatedComfyUI((url) => measure(options, url, quick))
    : measure(options, comfyuiUrl, quick);
}

function measure(options: BenchOptions, comfyui: string, quick: boolean): Promise<Row[]> {
  return withProxy(comfyui, (proxy, why) =>
    withProduct(options, comfyui, WORKFLOWS, async ({ url }) => {
      const bare = await connectBare(comfyui);
      const polling =
        (every: number): Submit =>
        async (color) => {
          const jobId = await submit(url, { workflow: 'instant', color });
          return () => collect(url, jobId, every);
        };
      const waiting: Submit = async (color) => {
        const jobId = await submit(url, { workflow: 'instant', color });
        return () => waitFor(url, jobId);
      };
      const viaBare: Submit = async (color) => {
        const image = bare.image(await graphOf('instant', { color }));
        return () => image;
      };
      const viaProxy = (every: number): Submit | undefined =>
        proxy &&
        (async (color) => {
          const jobId = await proxy.submit(await graphOf('instant', { color }));
          return () => proxy.collect(jobId, every);
        });

      const [rounds, many, few] = quick ? [1, 96, 20] : [3, 200, 40];
      // What runs for days is compiled.
      for (const one of [polling(50), viaBare, viaProxy(50)]) if (one) await runOff(quick ? 64 : 200, one);

      const rates = { bare: [] as number[], proxy: [] as number[], ours: [] as number[] };
      const right = { proxy: many, ours: many };
      const one = { proxy: [] as number[], ours: [] as number[] };
      const crowd = { proxy: [] as number[], ours: [] as number[] };
      const whole = { bare: [] as number[], polled: [] as number[], waited: [] as number[] };
      for (let round = 0; round < rounds; round += 1) {
        rates.bare.push((await runOff(many, viaBare)).perSecond);
        const ours = await runOff(many, polling(50));
        rates.ours.push(ours.perSecond);
        right.ours = Math.min(right.ours, ours.right);
        one.ours.push(...(await accepts(few, 1, polling(50))));
        crowd.ours.push(...(await accepts(many, 32, polling(50))));
        const theirs = viaProxy(50);
        if (theirs) {
          const ran = await runOff(many, theirs);
          rates.proxy.push(ran.perSecond);
          right.proxy = Math.min(right.proxy, ran.right);
          one.proxy.push(...(await accepts(few, 1, theirs)));
          crowd.proxy.push(...(await accepts(many, 32, theirs)));
        }
        whole.bare.push(...(await jobs(few, viaBare)));
        whole.polled.push(...(await jobs(few, polling(10))));
        whole.waited.push(...(await jobs(few, waiting)));
      }
      bare.close();

      const list = (values: number[]) => values.map(round).join(', ') || why;
      const ratio = (name: string, ours: number[], theirs: number[], share: number, atMost: number): Row => ({
        name,
        measured: theirs.length === 0 ? Number.NaN : quantile(ours, share) / quantile(theirs, share),
        unit: '×',
        ...(theirs.length > 0 && { target: { atMost } }),
        note: theirs.length === 0 ? why : `ms, ours ${p50p99(ours)}; proxy ${p50p99(theirs)}`,
      });
      return [
        {
          name: `${many} instant jobs by 16 callers, to the bare client's rate`,
          measured: median(rates.ours) / median(rates.bare),
          unit: '×',
          target: { atLeast: 0.7 },
          note: `jobs/s: ours ${list(rates.ours)}; bare ${list(rates.bare)}; proxy ${list(rates.proxy)}, right ${right.proxy} of ${many}`,
        },
        {
          name: 'of these right, worst round',
          measured: right.ours,
          unit: 'jobs',
          target: { atLeast: many },
        },
        ratio("accept, one caller, p50 to the proxy's", one.ours, one.proxy, 0.5, 1.2),
        ratio("accept, 32 callers, p50 to the proxy's", crowd.ours, crowd.proxy, 0.5, 1),
        ratio("accept, 32 callers, p99 to the proxy's", crowd.ours, crowd.proxy, 0.99, 1.5),
        {
          name: 'instant job above bare, polled every 10 ms',
          measured: median(whole.polled) - median(whole.bare),
          unit: 'ms',
          target: { atMost: 8 },
          note: `ours ${p50p99(whole.polled)}; bare ${p50p99(whole.bare)}`,
        },
        {
          name: 'instant job above bare, by ?wait',
          measured: median(whole.waited) - median(whole.bare),
          unit: 'ms',
          target: { atMost: 4 },
          note: `ours ${p50p99(whole.waited)}`,
        },
      ];
    }),
  );
}
