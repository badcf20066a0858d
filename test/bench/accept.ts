// How fast jobs are accepted while no host is up: many callers at once, none refused, none lost.
// Every accepted job is asked for afterwards.

import { call, callJson } from './client.ts';
import { type BenchOptions, median, p50p99, quantile, round, type Row } from './report.ts';
import { withProduct } from './subjects.ts';

const CALLERS = 32;
/** Nobody listens there. */
const CLOSED = 'http://127.0.0.1:1';

export const PROMPT = 'a serene mountain landscape in golden light, mist between old pines, '
  .repeat(10)
  .slice(0, 500);

export function accept(options: BenchOptions): Promise<Row[]> {
  const { quick } = options;
  const jobs = quick ? 320 : 2000;
  return withProduct(options, CLOSED, undefined, async ({ url }) => {
    const warmUp = await submitAll(url, quick ? 64 : 600);
    const rounds: Round[] = [];
    for (let count = 0; count < (quick ? 1 : 3); count += 1) rounds.push(await submitAll(url, jobs));
    const times = rounds.flatMap((round) => round.times);
    const accepted = rounds.flatMap((round) => round.accepted);
    const rates = rounds.map(({ seconds }) => jobs / seconds);
    const ids = [...warmUp.accepted, ...accepted];
    const kept = await inParallel(ids, async (id) => {
      const { status } = await callJson<{ status: string }>(`${url}/api/status/${id}`);
      return status === 'queued';
    });
    return [
      {
        name: `accept, no host up, ${CALLERS} callers`,
        measured: median(rates),
        unit: 'jobs/s',
        target: { atLeast: 500 },
        note: `rounds ${rates.map(round).join(', ')}; ms ${p50p99(times)}`,
      },
      { name: 'accept, p50', measured: median(times), unit: 'ms', target: { atMost: 50 } },
      { name: 'accept, p99', measured: quantile(times, 0.99), unit: 'ms', target: { atMost: 150 } },
      {
        name: 'accept, refused',
        measured: times.length - accepted.length,
        unit: 'jobs',
        target: { atMost: 0 },
      },
      {
        name: 'accept, lost',
        measured: kept.filter((one) => !one).length,
        unit: 'jobs',
        target: { atMost: 0 },
        note: `${ids.length} asked for`,
      },
    ];
  });
}

interface Round {
  /** ms of each request. */
  times: number[];
  /** The jobs' ids. */
  accepted: string[];
  seconds: number;
}

async function submitAll(url: string, jobs: number): Promise<Round> {
  const accepted: string[] = [];
  const start = performance.now();
  const times = await inParallel(Array.from({ length: jobs }), async () => {
    const from = performance.now();
    const answer = await call(`${url}/api/generate`, 'POST', { prompt: PROMPT });
    const time = performance.now() - from;
    if (answer.status === 202)
      accepted.push((JSON.parse(answer.body.toString()) as { job_id: string }).job_id);
    return time;
  });
  return { times, accepted, seconds: (performance.now() - start) / 1000 };
}

/** So many at a time as there are callers. */
export async function inParallel<Item, Result>(
  items: readonly Item[],
  work: (item: Item, index: number) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  let next = 0;
  const caller = async () => {
    for (let index = next; index < items.length; index = next) {
      next += 1;
      results[index] = await work(items[index]!, index);
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, caller));
  return results;
}
