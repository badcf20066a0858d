// The Comfy API v2 of the product beside that of comfy-api-proxy: the same calls to both, in turns on one ComfyUI.

import { accepts, jobs, type Submit } from './beside.ts';
import { withProxy } from './proxy.ts';
import { type BenchOptions, median, p50p99, quantile, round, type Row } from './report.ts';
import { graphOf, withProduct, withSimulatedComfyUI } from './subjects.ts';
import { runOff } from './throughput.ts';
import { type V2Client, v2Client } from './v2-client.ts';

const POLLED_EVERY = { many: 50, one: 10 };

interface Taken {
  rates: number[];
  right: number;
  accepted: number[];
  crowded: number[];
  whole: number[];
  /** Of these, jobs that it wrongly says ended without a result. */
  lost: number;
}

export function throughV2(options: BenchOptions): Promise<Row[]> {
  const { comfyuiUrl } = options;
  return comfyuiUrl === undefined
    ? withSimulatedComfyUI((url) => measure(options, url))
    : measure(options, comfyuiUrl);
}

function measure(options: BenchOptions, comfyui: string): Promise<Row[]> {
  return withProxy(comfyui, (proxy, why) =>
    withProduct(options, comfyui, undefined, async ({ url, memory }) => {
      if (!proxy) return [{ name: 'v2 beside comfy-api-proxy', measured: Number.NaN, unit: '', note: why }];
      const [rounds, many, few] = options.quick ? [1, 96, 20] : [3, 200, 40];
      const clients = { ours: v2Client(url), theirs: proxy };
      const submitTo =
        ({ submit, collect }: V2Client, every: number): Submit =>
        async (color) => {
          const id = await submit(await graphOf('instant', { color }));
          return () => collect(id, every);
        };
      const taken = { ours: nothing(many), theirs: nothing(many) };
      for (const client of Object.values(clients)) await runOff(many, submitTo(client, POLLED_EVERY.many));
      for (let round = 0; round < rounds; round += 1)
        for (const who of ['ours', 'theirs'] as const) {
          const [its, polled] = [taken[who], submitTo(clients[who], POLLED_EVERY.many)];
          const ran = await runOff(many, polled);
          its.rates.push(ran.perSecond);
          its.right = Math.min(its.right, ran.right);
          its.accepted.push(...(await accepts(few, 1, polled)));
          its.crowded.push(...(await accepts(many, 32, polled)));
          const lost = () => void (its.lost += 1);
          its.whole.push(...(await jobs(few, submitTo(clients[who], POLLED_EVERY.one), lost)));
        }
      const { ours, theirs } = taken;
      const lasts = (name: string, values: (of: Taken) => number[], share: number): Row => ({
        name: `v2: ${name}, to the proxy's`,
        measured: quantile(values(ours), share) / quantile(values(theirs), share),
        unit: '×',
        target: { atMost: 1 },
        note: `ms, ours ${p50p99(values(ours))}; proxy ${p50p99(values(theirs))}`,
      });
      const [resident, proxyResident] = [await memory(), await proxy.memory()];
      return [
        lasts('submit, one caller, p50', ({ accepted }) => accepted, 0.5),
        lasts('submit, one caller, p99', ({ accepted }) => accepted, 0.99),
        lasts('submit, 32 callers, p50', ({ crowded }) => crowded, 0.5),
        lasts('submit, 32 callers, p99', ({ crowded }) => crowded, 0.99),
        lasts('submit to bytes, polled every 10 ms, p50', ({ whole }) => whole, 0.5),
        {
          name: `v2: ${many} instant jobs by 16 callers, to the proxy's rate`,
          measured: median(ours.rates) / median(theirs.rates),
          unit: '×',
          target: { atLeast: 1 },
          note: `jobs/s: ours ${ours.rates.map(round).join(', ')}; proxy ${theirs.rates.map(round).join(', ')}`,
        },
        {
          name: 'v2: of these right, worst round',
          measured: ours.right,
          unit: 'jobs',
          target: { atLeast: many },
          note: `proxy ${theirs.right}`,
        },
        {
          name: 'v2: of single jobs wrongly said to be lost',
          measured: ours.lost,
          unit: 'jobs',
          target: { atMost: 0 },
          note: `proxy ${theirs.lost} of ${rounds * few}`,
        },
        {
          name: "v2: memory, to the proxy's",
          measured: resident / proxyResident,
          unit: '×',
          target: { atMost: 1 },
          note: `MB, ours ${round(resident)}; proxy ${round(proxyResident)}`,
        },
      ];
    }),
  );
}

function nothing(many: number): Taken {
  return { rates: [], right: many, accepted: [], crowded: [], whole: [], lost: 0 };
}
