// Which of the jobs that have not ended are followed by events: what samples now shows its steps and its unfinished image.

import type { JobStatus } from '../api/types.ts';

/**
 * Of a tab that is looked at; another has none (follow.ts). One would do while one job runs at a time; by the second, the next one is
 * heard from its first step. What all windows have together is bounded too (api/stream-slots.ts).
 */
export const STREAMS = 2;

export interface Open {
  key: string;
  /** Undefined before the first answer. */
  view: Pick<JobStatus, 'status' | 'waiting_code'> | undefined;
}

/**
 * Keys, at most `STREAMS`. A stream moves from a job that waits to one that is nearer to its images, and never between equals.
 * @param open the oldest first, which mostly is the order in which they run @param has those that have one now
 */
export function streamed(open: readonly Open[], has: ReadonlySet<string>): string[] {
  const place = ({ key, view }: Open) => 2 * farness(view) + (has.has(key) ? 0 : 1);
  return open
    .toSorted((a, b) => place(a) - place(b))
    .slice(0, STREAMS)
    .map(({ key }) => key);
}

function farness(view: Open['view']): number {
  if (view?.status === 'processing') return 0;
  return view?.waiting_code === 'comfyui_turn' ? 1 : 2;
}
