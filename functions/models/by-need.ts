// In which order models come: what the jobs at the head of the queue need before anything else. Pure.

import type { ModelFile } from './manifest.ts';

/**
 * Job by job in the order of their turns, then the rest as the manifest has them. A job that names a model which is not
 * in the manifest can not run with all of them either, and hurries nothing.
 * @param named the files that each waiting job's graph names
 */
export function byNeed(files: readonly ModelFile[], named: readonly string[][]): ModelFile[] {
  const byName = new Map(files.map((file) => [file.filename, file]));
  const first = named
    .filter((names) => names.every((name) => byName.has(name)))
    .flatMap((names) => names.map((name) => byName.get(name)!));
  return [...new Set([...first, ...files])];
}
