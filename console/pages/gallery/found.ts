// The jobs that the gallery has found so far, newest first: a page at a time as a person scrolls, and what changed of them.

import { signal } from '@preact/signals';
import { call } from '../../api/call.ts';
import { onKeyChange } from '../../api/key.ts';
import type { Jobs } from '../../api/types.ts';
import { notifyFailure } from '../../parts/notices.tsx';
import { type Filters, NO_FILTERS, queryOf } from './filters.ts';

export type GalleryJob = Jobs['jobs'][number];

const PAGE = 100;

export const found = signal<GalleryJob[]>([]);
/** `more`: the next page is not asked for yet. */
export const progress = signal<'more' | 'loading' | 'all' | 'failed'>('more');
/** Why there are no more, where that `failed`. */
export const failure = signal<unknown>(undefined);

let filters = NO_FILTERS;
let cursor: string | null = null;
/** Of the search that the jobs are of: what others ask is given up. */
let search = new AbortController();
let isRefreshing = false;

const asked = (from: string | undefined) => ({ limit: PAGE, cursor: from, ...queryOf(filters) });

function begin(wanted: Filters): void {
  search.abort();
  search = new AbortController();
  filters = wanted;
  found.value = [];
  cursor = null;
  isRefreshing = false;
  failure.value = undefined;
  progress.value = 'more';
}
onKeyChange(() => begin(NO_FILTERS));

/** From the beginning. */
export async function find(wanted: Filters): Promise<void> {
  begin(wanted);
  await loadMore();
}

/** What failed, once more. */
export async function tryAgain(): Promise<void> {
  failure.value = undefined;
  progress.value = 'more';
  await loadMore();
}

/** The next page; of a search for what few jobs have it may be empty, and then the next is asked for. */
export async function loadMore(): Promise<void> {
  if (progress.value !== 'more') return;
  const { signal } = search;
  progress.value = 'loading';
  try {
    for (;;) {
      const page = await call('GET /api/jobs', { query: asked(cursor ?? undefined), signal });
      cursor = page.next_cursor;
      // A job that came while the first page was on its way was taken in by `refresh`.
      const known = new Set(found.value.map(({ job_id: id }) => id));
      found.value = [...found.value, ...page.jobs.filter(({ job_id: id }) => !known.has(id))];
      if (cursor === null || page.jobs.length > 0) break;
    }
    progress.value = cursor === null ? 'all' : 'more';
  } catch (error) {
    if (signal.aborted) return;
    progress.value = 'failed';
    failure.value = error;
  }
}

/** What came and changed since: the newest page anew. On a slow API the one before is waited for. */
export async function refresh(): Promise<void> {
  if (isRefreshing) return;
  const { signal } = search;
  isRefreshing = true;
  try {
    const page = await call('GET /api/jobs', { query: asked(undefined), signal });
    const fresh = new Map(page.jobs.map((job) => [job.job_id, job]));
    const oldest = page.jobs.at(-1)?.created_at ?? '';
    // What is of that page's time and not on it is gone, or no longer of these filters.
    const rest = found.value.filter(
      (job) => !fresh.has(job.job_id) && page.next_cursor !== null && job.created_at < oldest,
    );
    found.value = [...page.jobs, ...rest];
  } catch (error) {
    notifyFailure(error);
  } finally {
    if (!signal.aborted) isRefreshing = false;
  }
}

export function forget(jobId: string): void {
  found.value = found.value.filter(({ job_id: id }) => id !== jobId);
}
