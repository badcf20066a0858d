// What the product adds to a job: from submit to image bytes in hand, beside a bare client on the same ComfyUI, in
// turns. The API's caller asks for the status every 10 ms.

import { setTimeout as sleep } from 'node:timers/promises';
import { type BareClient, callJson, collect, connectBare, freshColor, isImageOf, submit } from './client.ts';
import { type BenchOptions, median, p50p99, quantile, type Row } from './report.ts';
import { graphOf, withProduct, withSimulatedComfyUI, WORKFLOWS } from './subjects.ts';

const EVERY = 10;
const SLOW_MS = 512;

interface Rounds {
  rounds: number;
  each: number;
}

interface Pair {
  bare: number[];
  ours: number[];
}

export function latency(options: BenchOptions): Promise<Row[]> {
  const { comfyuiUrl } = options;
  return comfyuiUrl === undefined
    ? withSimulatedComfyUI((url) => measure(options, url))
    : measure(options, comfyuiUrl);
}

async function measure(options: BenchOptions, comfyui: string): Promise<Row[]> {
  const { quick } = options;
  const nodes = await callJson<Record<string, unknown>>(`${comfyui}/object_info`);
  return withProduct(options, comfyui, WORKFLOWS, async ({ url }) => {
    const bare = await connectBare(comfyui);
    const compare = (workflow: 'instant' | 'slow', fields: Record<string, unknown>, rounds: Rounds) =>
      compared(bare, url, workflow, fields, rounds);
    await compare('instant', {}, { rounds: 1, each: quick ? 10 : 30 });

    const instant = await compare('instant', {}, quick ? { rounds: 3, each: 15 } : { rounds: 6, each: 50 });
    const rows = [
      above('instant job, median above bare', instant, 0.5, 30),
      above('instant job, p99 above bare', instant, 0.99, 100),
    ];
    if ('LabSlowImage' in nodes) {
      const slow = { ms: SLOW_MS, seed: 1 };
      const pair = await compare('slow', slow, quick ? { rounds: 2, each: 3 } : { rounds: 4, each: 6 });
      rows.push(above(`${SLOW_MS} ms job, median above bare`, pair, 0.5, 40));
    }
    bare.close();
    return rows;
  });
}

async function compared(
  bare: BareClient,
  api: string,
  workflow: 'instant' | 'slow',
  fields: Record<string, unknown>,
  { rounds, each }: Rounds,
): Promise<Pair> {
  const pair: Pair = { bare: [], ours: [] };
  for (let count = 0; count < rounds * 2; count += 1) {
    const turn = count % 2 === 0 ? 'bare' : 'ours';
    for (let job = 0; job < each; job += 1) {
      const color = freshColor();
      const graph = await graphOf(workflow, { ...fields, color });
      const start = performance.now();
      const image =
        turn === 'bare' ? await bare.image(graph) : await viaApi(api, { workflow, ...fields, color });
      pair[turn].push(performance.now() - start);
      if (!isImageOf(image, color)) throw new Error(`${turn}: not the image of the job`);
    }
  }
  return pair;
}

async function viaApi(api: string, body: Record<string, unknown>): Promise<Buffer> {
  const jobId = await submit(api, body);
  await sleep(EVERY);
  return collect(api, jobId, EVERY);
}

function above(name: string, { bare, ours }: Pair, share: number, atMost: number): Row {
  return {
    name,
    measured: quantile(ours, share) - quantile(bare, share),
    unit: 'ms',
    target: { atMost },
    note:
      share === 0.5
        ? `bare ${p50p99(bare)}; ours ${p50p99(ours)}`
        : `bare's median ${Math.round(median(bare))}`,
  };
}
