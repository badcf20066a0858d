// A simulated day as a row of a table, and its assumptions as a sentence. Pure.

import type { DayResult } from './day.ts';
import type { Options } from './options.ts';

const COLUMNS = [
  'jobs a day',
  'max hosts',
  'most hosts',
  'starts',
  'wait p50',
  'wait p95',
  'refused',
  'GPU-hours',
  'busy',
  'dollars',
  '$ / 1000 jobs',
] as const;

export function rowOf(jobs: number, maxHosts: number, result: DayResult, usdPerHour: number): string[] {
  const { waits, gpuSeconds, busySeconds } = result;
  const sorted = waits.slice().sort();
  const hours = gpuSeconds / 3600;
  const dollars = hours * usdPerHour;
  return [
    grouped(jobs),
    grouped(maxHosts),
    grouped(result.mostHosts),
    grouped(result.starts),
    timeOf(quantile(sorted, 0.5)),
    timeOf(quantile(sorted, 0.95)),
    grouped(result.refused),
    hours >= 100 ? grouped(Math.round(hours)) : hours.toFixed(1),
    gpuSeconds === 0 ? '–' : `${Math.round((100 * busySeconds) / gpuSeconds)} %`,
    dollars >= 1000 ? grouped(Math.round(dollars)) : dollars.toFixed(2),
    waits.length === 0 ? '–' : ((dollars / waits.length) * 1000).toFixed(2),
  ];
}

/** The least value with at least this part of the values at or below it. @returns undefined for an empty array */
export function quantile(sorted: Float64Array, part: number): number | undefined {
  return sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)];
}

export function tableOf(rows: string[][]): string {
  const lines = [[...COLUMNS], ...rows];
  const widths = COLUMNS.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)));
  const drawn = lines.map(
    (line) => `| ${line.map((cell, column) => cell.padStart(widths[column]!)).join(' | ')} |`,
  );
  const rule = `|${widths.map((width) => `${'-'.repeat(width + 1)}:`).join('|')}|`;
  return [drawn[0]!, rule, ...drawn.slice(1)].join('\n');
}

export function assumptionsOf(options: Options): string {
  return [
    `A job takes ${options.secondsPerJob} s of a GPU, a host ${options.startSeconds} s to start;`,
    `idle hosts end after ${options.idleMinutes} min; a host costs $${options.usdPerHour} an hour;`,
    `traffic swings between 0.2 and 1.8 times its mean (peak at 15:00), seed ${options.seed}.`,
  ].join(' ');
}

/** Thousands with commas: `1,234`. */
export function grouped(value: number): string {
  return String(value).replaceAll(/\B(?=(\d{3})+$)/g, ',');
}

function timeOf(seconds: number | undefined): string {
  if (seconds === undefined) return '–';
  return seconds < 100 ? `${Math.round(seconds)} s` : `${(seconds / 60).toFixed(1)} min`;
}
