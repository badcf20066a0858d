// The jobs that the gallery has found so far, newest first: a page at a time as a person scrolls, and what changed of them.

import { signal } from '@preact/signals';
import { call } from '../../api/call.ts';
import type { Jobs } from '../../api/types.ts';
import { notifyFailure } from '../../parts/notices.tsx';

export type GalleryJob = Jobs['jobs'][number];

export interface Filters {
  search: string;
  workflow: string;
  state: string;
  /** `name:value`. */
  label: string;
}
export const NO_FILTERS: Filters = { search: '', workflow: '', state: '', label: '' };

const PAGE = 100;

export const filters = signal<Filters>(NO_FILTERS);
export const found = signal<GalleryJob[]>([]);
/** `more`: the next page is not asked for yet. */
export const progress = signal<'more' | 'loading' | 'all'>('more');
/** What the API says of a filter. */
export const refused = signal<string | undefined>(undefined);

let cursor: string | null = null;
/** Of the search that the jobs are of: answers of others come too late. */
let search = 0;

const asked = (from: string | undefined) => {
  const given = Object.entries(filters.value).filter(([, value]) => value !== '');
  return { limit: PAGE, cursor: from, ...(Object.fromEntries(given) as Partial<Filters>) };
};

/** From the beginning. */
export async function find(wanted: Filters): Promise<void> {
  search += 1;
  filters.value = wanted;
  found.value = [];
  cursor = null;
  refused.value = undefined;
  progress.value = 'more';
  await loadMore();
}

/** The next page; of a search for what few jobs have it may be empty, and then the next is asked for. */
export async function loadMore(): Promise<void> {
  if (progress.value !== 'more') return;
  const mine = search;
  progress.value = 'loading';
  try {
    for (;;) {
      const page = await call('GET /api/jobs', { query: asked(cursor ?? undefined) });
      if (mine !== search) return;
      cursor = page.next_cursor;
      // A job that came while the first page was on its way was taken in by `refresh`.
      const known = new Set(found.value.map(({ job_id: id }) => id));
      found.value = [...found.value, ...page.jobs.filter(({ job_id: id }) => !known.has(id))];
      if (cursor === null || page.jobs.length > 0) break;
    }
    progress.value = cursor === null ? 'all' : 'more';
  } catch (error) {
    if (mine !== search) return;
    progress.value = 'all';
    refused.value = error instanceof Error ? error.message : String(error);
  }
}

/** What came and changed since: the newest page anew. */
export async function refresh(): Promise<void> {
  const mine = search;
  try {
    const page = await call('GET /api/jobs', { query: asked(undefined) });
    if (mine !== search) return;
    const fresh = new Map(page.jobs.map((job) => [job.job_id, job]));
    const oldest = page.jobs.at(-1)?.created_at ?? '';
    // What is of that page's time and not on it is gone, or no longer of these filters.
    const rest = found.value.filter(
      (job) => !fresh.has(job.job_id) && page.next_cursor !== null && job.created_at < oldest,
    );
    found.value = [...page.jobs, ...rest];
  } catch (error) {
    notifyFailure(error);
  }
}

export function forget(jobId: string): void {
  found.value = found.value.filter(({ job_id: id }) => id !== jobId);
}
