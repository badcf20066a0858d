// The jobs that the gallery has found so far, newest first: a page at a time as a person scrolls, and what changed of them.

import { signal } from '@preact/signals';
import { call } from '../../api/call.ts';
import { onKeyChange } from '../../api/key.ts';
import type { Jobs } from '../../api/types.ts';
import { notifyFailure } from '../../parts/notices.tsx';
import { type Filters, NO_FILTERS, queryOf } from './filters.ts';

export type GalleryJob = Jobs['jobs'][number];

const PAGE = 100;
/** Of the newest jobs, where nothing of the others changes. */
const GLANCE = 24;

export const found = signal<GalleryJob[]>([]);
/** `more`: the next page is not asked for yet. */
export const progress = signal<'more' | 'loading' | 'all' | 'failed'>('more');
/** Why there are no more, where that `failed`. */
export const failure = signal<unknown>(undefined);
/** Jobs that came since and are not shown yet: what a person reads stays where it is. */
export const waiting = signal<GalleryJob[]>([]);

let filters = NO_FILTERS;
let cursor: string | null = null;
/** Where pages behind the first begin: the cursor, and when the job before it was made. */
let marks: Mark[] = [];
/** Up to which time the last look behind the first page went. */
let lookedUpTo = '';
interface Mark {
  cursor: string;
  after: string;
}
/** Of the search that the jobs are of: what others ask is given up. */
let search = new AbortController();
let isRefreshing = false;

const asked = (from: string | undefined) => ({ limit: PAGE, cursor: from, ...queryOf(filters) });

function begin(wanted: Filters): void {
  search.abort();
  search = new AbortController();
  filters = wanted;
  found.value = [];
  waiting.value = [];
  cursor = null;
  marks = [];
  lookedUpTo = '';
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
      marks.push(...markOf(page));
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

interface Look {
  /** The whole page: jobs of it have not ended. Else what came is looked for. */
  isLive: boolean;
  /** New jobs wait, until they are shown. */
  isHeld: boolean;
}

/**
 * What came and changed since: the newest jobs anew, and of those behind them the page that runs. On a slow API the question before
 * is waited for.
 */
export async function refresh({ isLive, isHeld }: Look): Promise<void> {
  if (isRefreshing || progress.value === 'failed') return;
  const { signal } = search;
  isRefreshing = true;
  try {
    const limit = isLive ? PAGE : GLANCE;
    const page = await call('GET /api/jobs', { query: { ...asked(undefined), limit }, signal });
    // Of a search: it has looked at so many, and found none of the newest.
    if (page.jobs.length === 0 && page.next_cursor !== null) return;
    const known = new Set(found.value.map(({ job_id: id }) => id));
    const came = page.jobs.filter(({ job_id: id }) => !known.has(id));
    // Between what came and what is known others may lie: from here on they are found by scrolling.
    const isCut = came.length === page.jobs.length && page.next_cursor !== null && known.size > 0;
    // The next page is on its way to what is known; the next look finds as much.
    if (isCut && progress.value === 'loading') return;
    waiting.value = isHeld ? came : [];
    if (isHeld && isCut) return;
    const changed = isHeld ? page.jobs.filter(({ job_id: id }) => known.has(id)) : page.jobs;
    if (isCut) {
      found.value = page.jobs;
      cursor = page.next_cursor;
      marks = markOf(page);
      progress.value = 'more';
      return;
    }
    const oldest = oldestOf(page);
    found.value = [
      ...changed,
      ...without(page).filter((job) => page.next_cursor !== null && job.created_at <= oldest),
    ];
    if (isLive) await refreshBehind(page, signal);
  } catch (error) {
    notifyFailure(error);
  } finally {
    if (!signal.aborted) isRefreshing = false;
  }
}

/** Of the pages behind the first on which jobs have not ended one a look, from the oldest on: those are the next that run. */
async function refreshBehind(first: Jobs, signal: AbortSignal): Promise<void> {
  const live = without(first).filter(({ status }) => status === 'queued' || status === 'processing');
  const next = live.findLast(({ created_at: at }) => at >= lookedUpTo) ?? live.at(-1);
  if (!next) return;
  const [mark] = [...marks, ...markOf(first)]
    .filter(({ after }) => after > next.created_at)
    .toSorted((a, b) => (a.after < b.after ? -1 : 1));
  if (!mark) return;
  const page = await call('GET /api/jobs', { query: asked(mark.cursor), signal });
  if (page.jobs.length === 0 && page.next_cursor !== null) {
    // Of a search, as above: the next look goes on there.
    marks = [...marks.filter((one) => one.after !== mark.after), { ...mark, cursor: page.next_cursor }];
    return;
  }
  const oldest = oldestOf(page);
  // More came since than a page holds: the next look begins where this one ends.
  if (oldest > next.created_at) marks.push(...markOf(page));
  else lookedUpTo = mark.after;
  const fresh = new Map(page.jobs.map((job) => [job.job_id, job]));
  const isGone = ({ created_at: at }: GalleryJob) =>
    at < mark.after && (page.next_cursor === null || at > oldest);
  found.value = found.value.flatMap((job) => fresh.get(job.job_id) ?? (isGone(job) ? [] : job));
}

const markOf = ({ jobs, next_cursor: next }: Jobs): Mark[] =>
  next !== null && jobs.length > 0 ? [{ cursor: next, after: jobs.at(-1)!.created_at }] : [];

const oldestOf = ({ jobs }: Jobs): string => jobs.at(-1)?.created_at ?? '';

/** What was found and is not on the page. */
function without({ jobs }: Jobs): GalleryJob[] {
  const on = new Set(jobs.map(({ job_id: id }) => id));
  return found.value.filter(({ job_id: id }) => !on.has(id));
}

export function forget(jobId: string): void {
  found.value = found.value.filter(({ job_id: id }) => id !== jobId);
}
