// What the product's processes hold in memory, ComfyUI not counted: after some jobs, and after ten times as many.
// Between the jobs and the reading they get a few seconds of rest.

import { setTimeout as sleep } from 'node:timers/promises';
import { collect, freshColor, submit } from './client.ts';
import { type BenchOptions, round, type Row } from './report.ts';
import { type Product, withProduct, withSimulatedComfyUI, WORKFLOWS } from './subjects.ts';

const CALLERS = 8;
/** Above this it grows with the jobs rather than with the garbage. */
const FLAT = 1.15;

export function memory(options: BenchOptions): Promise<Row[]> {
  const [some, many] = options.quick ? [100, 400] : [500, 5000];
  return withSimulatedComfyUI((comfyui) =>
    withProduct(options, comfyui, WORKFLOWS, async (product) => {
      const atStart = await settled(product);
      await run(product, some);
      const afterSome = await settled(product);
      await run(product, many - some);
      const afterMany = await settled(product);
      return [
        {
          name: `memory of all processes after ${some} jobs`,
          measured: afterSome,
          unit: 'MB',
          target: { atMost: 120 },
          note: `${round(atStart)} at the start`,
        },
        {
          name: `memory after ${many} jobs to that after ${some}`,
          measured: afterMany / afterSome,
          unit: '×',
          target: { atMost: FLAT },
          note: `${round(afterMany)} MB`,
        },
      ];
    }),
  );
}

async function run({ url }: Product, jobs: number): Promise<void> {
  let left = jobs;
  const caller = async () => {
    while (left > 0) {
      left -= 1;
      await collect(url, await submit(url, { workflow: 'instant', color: freshColor() }), 20);
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, caller));
}

/** The least of a few readings. */
async function settled({ memory }: Product): Promise<number> {
  let least = Infinity;
  for (let reading = 0; reading < 4; reading += 1) {
    await sleep(750);
    least = Math.min(least, await memory());
  }
  return least;
}
