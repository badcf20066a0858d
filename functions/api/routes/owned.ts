// What an owner's jobs made, newest first, in pages: GET /api/outputs and GET /api/history. Loaded at the first request for either.

import type * as z from 'zod';
import { imagesOf, type JobState } from '../../core/job.ts';
import { outwardPromptId } from '../../core/names.ts';
import type { JobRequest } from '../../core/request.ts';
import { readGraph } from '../../images/documents.ts';
import type { Jobs, ListedJob } from '../../store/jobs.ts';
import type { ANSWERS } from '../answers/schemas.ts';
import { type Counted, type Listing, rowsOf } from '../caches/totals.ts';
import { cursorOf, type Page } from '../http/parameters.ts';
import type { Shared } from './shared.ts';

export async function listOutputs({ jobs, totals, images }: Shared, owner: string, asked: Page) {
  const [found, total] = await Promise.all([
    pageOfOwned(jobs, owner, asked, IMAGES),
    totals.of(owner, IMAGES),
  ]);
  return {
    images: found.items,
    ...totalOf('total', total),
    output_dir: images.outputDirectory,
    next_cursor: cursorOf(found.next),
  };
}

export async function listHistory(deps: Shared, owner: string, asked: Page) {
  const { jobs, totals } = deps;
  const [found, total] = await Promise.all([pageOfOwned(jobs, owner, asked, RAN), totals.of(owner, RAN)]);
  const requests = await jobs.readRequests(found.items.map(({ jobId }) => jobId));
  const entries = await Promise.all(
    found.items.map(async (state) => {
      const request = requests.get(state.jobId);
      return [outwardPromptId(state.jobId), await historyEntry(deps, state, request)] as const;
    }),
  );
  return {
    history: Object.fromEntries(entries),
    ...totalOf('total_items', total),
    next_cursor: cursorOf(found.next),
  };
}

const BATCH = 100;

/** Newest first over all stretches. */
async function* merged(stretches: AsyncGenerator<ListedJob, undefined>[]): AsyncGenerator<ListedJob> {
  const heads = await Promise.all(stretches.map((stretch) => stretch.next()));
  for (;;) {
    let newest = -1;
    for (const [index, { value }] of heads.entries())
      if (value && (newest < 0 || value.place > heads[newest]!.value!.place)) newest = index;
    if (newest < 0) return;
    yield heads[newest]!.value!;
    heads[newest] = await stretches[newest]!.next();
  }
}

async function* statesOf(
  jobs: Jobs,
  rows: AsyncGenerator<ListedJob>,
  batch: number,
): AsyncGenerator<JobState> {
  for (let ids: string[] = []; ;) {
    const { value, done } = await rows.next();
    if (value) ids.push(value.jobId);
    if (!done && ids.length < batch) continue;
    yield* await jobs.readStates(ids, { consistent: true });
    if (done) return;
    ids = [];
  }
}

interface Found<T> {
  items: T[];
  /** Where the next page begins; undefined at the end. */
  next?: string;
}

/** A cursor is `<place in the index>~<how many of that job's items were already listed>`. */
async function pageOfOwned<T>(
  jobs: Jobs,
  owner: string,
  { limit, cursor }: Page,
  { of, itemsOf }: Listing<T>,
): Promise<Found<T>> {
  const [place = '', reported = '0'] = cursor?.split('~') ?? [];
  const items: T[] = [];
  // One more than is shown: whether there is a next page.
  const batch = Math.min(limit + 1, BATCH);
  // "~" sorts behind whatever a place may go on with: the job itself is walked again.
  const after = cursor === undefined ? undefined : `${place}~`;
  const rows = merged(of.map((status) => rowsOf(jobs, owner, status, batch, after)));
  for await (const state of statesOf(jobs, rows, batch)) {
    const skip = state.ownerOrder === place ? Number(reported) : 0;
    for (const [index, item] of itemsOf(state).entries()) {
      if (index < skip) continue;
      if (items.length === limit) return { items, next: `${state.ownerOrder}~${index}` };
      items.push(item);
    }
  }
  return { items };
}

/** `total` is exact up to 1,000 and says so beyond. */
function totalOf<Field extends 'total' | 'total_items'>(field: Field, { count, exact }: Counted) {
  return { [field]: count, total_is_exact: exact } as Record<Field, number> & { total_is_exact: boolean };
}

const IMAGES: Listing<string> = {
  of: ['completed'],
  // Newest first, within a batch too.
  itemsOf: (state) =>
    imagesOf(state)
      .map(({ filename }) => filename)
      .toReversed(),
  count: ({ images }) => images,
};

const RAN: Listing<JobState> = {
  of: ['completed', 'failed'],
  itemsOf: (state) => [state],
  count: () => 1,
};

interface HistoryFile {
  filename: string;
  subfolder: string;
  type: 'output';
}

async function historyEntry(
  { images }: Shared,
  state: JobState,
  request: JobRequest | undefined,
): Promise<z.input<typeof ANSWERS.History>['history'][string]> {
  const promptId = outwardPromptId(state.jobId);
  // Nodes and keys may have any name, also those of an object's own properties.
  const files = new Map<string, Map<string, HistoryFile[]>>();
  for (const { node, key = 'images', filename } of state.outputs ?? []) {
    const byKey = files.get(node) ?? new Map<string, HistoryFile[]>();
    files.set(node, byKey.set(key, [...(byKey.get(key) ?? []), { filename, subfolder: '', type: 'output' }]));
  }
  const outputs = Object.fromEntries([...files].map(([node, byKey]) => [node, Object.fromEntries(byKey)]));
  const graph = request && (await readGraph(images, request));
  return {
    prompt: [state.createdAt, promptId, graph ?? {}, {}, Object.keys(outputs)],
    outputs,
    status: state.status === 'completed' ? 'success' : 'error',
    job_id: state.jobId,
    error: state.error ?? null,
  };
}
