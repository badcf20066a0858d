// The order in which models are fetched: first those that the jobs at the head of the queue need. Pure.

import type { ModelFile } from './manifest.ts';

/**
 * Job by job in queue order, then the rest in the manifest's order. A job that names a model outside of the manifest cannot
 * run here and is skipped.
 * @param named the files that each waiting job's graph names
 */
export function byNeed(files: readonly ModelFile[], named: readonly string[][]): ModelFile[] {
  const byName = new Map(files.map((file) => [file.filename, file]));
  const first = named
    .filter((names) => names.every((name) => byName.has(name)))
    .flatMap((names) => names.map((name) => byName.get(name)!));
  return [...new Set([...first, ...files])];
}
