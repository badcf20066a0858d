// Whether the machine gave the run's processes their time: what waits for a core for most of a second keeps no time
// limit, and proves nothing by missing one. Linux counts that for each process; elsewhere only this one's own
// standstills show. Source: the kernel's Documentation/scheduler/sched-stats.rst, /proc/<pid>/schedstat.

import { readFileSync } from 'node:fs';

export interface Starvation {
  /** Was there a while in this time in which some process waited for a core for most of it? */
  during(from: number, to: number): boolean;
  /** Milliseconds of the run that were so. */
  total(): number;
  close(): void;
}

interface Sample {
  from: number;
  to: number;
  /** Of the process that waited longest, ms. */
  waited: number;
}

const EVERY = 100;
/** Judged over so long: shorter waits are the machine's ordinary life, with more processes than cores. */
const WHILE = 1500;
const MOST = 0.6;

/** @param pids of all processes that run now */
export function watchStarvation(pids: () => number[]): Starvation {
  const samples: Sample[] = [];
  const starved: { from: number; to: number }[] = [];
  let before = new Map<number, number>();
  let last = Date.now();

  const timer = setInterval(() => {
    const now = Date.now();
    const waits = new Map([...pids(), process.pid].map((pid) => [pid, waitedSoFar(pid)]));
    const own = now - last - EVERY;
    const waited = Math.max(own, ...[...waits].map(([pid, wait]) => wait - (before.get(pid) ?? wait)));
    samples.push({ from: last, to: now, waited });
    before = waits;
    last = now;
    const recent = samples.filter(({ to }) => to > now - WHILE);
    const sum = recent.reduce((total, sample) => total + sample.waited, 0);
    if (sum > MOST * WHILE) extend({ from: now - WHILE, to: now });
  }, EVERY);

  function extend(span: { from: number; to: number }): void {
    const current = starved.at(-1);
    if (current && current.to >= span.from) current.to = span.to;
    else starved.push(span);
  }

  return {
    during: (from, to) => starved.some((span) => span.from <= to && span.to >= from),
    total: () => starved.reduce((sum, { from, to }) => sum + to - from, 0),
    close: () => clearInterval(timer),
  };
}

/** Ready to run, and not running, ms since its start; 0 where nobody counts. */
function waitedSoFar(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[1]) / 1e6;
  } catch {
    return 0;
  }
}
