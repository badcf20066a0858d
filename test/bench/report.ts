// What a measurement yields: rows with a target or without, and the numbers under them. Owns how they are printed.
// Measures nothing.

export interface Row {
  name: string;
  measured: number;
  unit: string;
  /** Absent: told for comparison only. */
  target?: { atMost: number } | { atLeast: number };
  /** What else there is to say about it. */
  note?: string;
}

export interface BenchOptions {
  /** Fewer repetitions, for CI: the same rows, more noise. */
  quick: boolean;
  /** A real ComfyUI for the latency; undefined: a simulated one. */
  comfyuiUrl: string | undefined;
  /** Where the product leaves its CPU profiles; undefined: none are taken. */
  profile: string | undefined;
}

export type Measurement = (options: BenchOptions) => Promise<Row[]>;

export function isMet({ measured, target }: Row): boolean | undefined {
  if (target === undefined) return undefined;
  return 'atMost' in target ? measured <= target.atMost : measured >= target.atLeast;
}

/** @param share 0.5: the median; 0.99: what one in a hundred exceeds */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Three digits are more than a run repeats. */
export function round(value: number): number {
  if (value === 0 || !Number.isFinite(value)) return value;
  const scale = 10 ** Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return Math.round(value * scale) / scale;
}

export function p50p99(values: readonly number[]): string {
  return `p50 ${round(median(values))}, p99 ${round(quantile(values, 0.99))}, n ${values.length}`;
}

const VERDICTS = new Map([
  [true, 'ok'],
  [false, 'MISS'],
  [undefined, ''],
]);

export function tableOf(rows: readonly Row[]): string {
  const cells = rows.map((row) => [
    row.name,
    `${round(row.measured)} ${row.unit}`.trim(),
    targetOf(row),
    VERDICTS.get(isMet(row)) ?? '',
    row.note ?? '',
  ]);
  const widths = [0, 1, 2, 3].map((column) => Math.max(...cells.map((cell) => cell[column]!.length)));
  return cells
    .map((cell) =>
      cell
        .map((text, column) => text.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function targetOf({ target, unit }: Row): string {
  if (target === undefined) return '';
  return 'atMost' in target ? `≤ ${target.atMost} ${unit}`.trim() : `≥ ${target.atLeast} ${unit}`.trim();
}
