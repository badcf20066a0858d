// An owner's jobs of whatever status, newest first, in pages. What a job was asked for stands in no index: a page that is
// filtered by it reads a bounded number of jobs, and where few of them are meant it is short, or empty, and the next goes on.

import { type JobState, jobsOf, type Status } from '../../core/job.ts';
import { SHOWN, type ShownRequest } from '../../core/job-view.ts';
import { ownerOrder, readWorkOrder } from '../../core/names.ts';
import type { Jobs, OwnedJob } from '../../store/jobs.ts';
import type { Page as RowPage } from '../../store/page.ts';
import type { QueueEntry } from '../../store/work.ts';
import { type Queue, unendedIn } from './queue-view.ts';

/** As many as one BatchGet reads. */
const READ_AT_ONCE = 100;
/**
 * Jobs that one page looks at. With graphs of 4 KB that is at most 1,000 read units for what was asked for, and one more for
 * the state of each that is shown: on demand a twentieth of a cent.
 */
const READ_AT_MOST = 1000;

/** Without what no view shows: graphs stay where they are. */
export interface FoundJob {
  state: JobState;
  request: ShownRequest;
}

export interface Wanted {
  status?: Status | undefined;
  /** Of what was asked for. */
  request?: ((request: ShownRequest) => boolean) | undefined;
}

export interface Found {
  jobs: FoundJob[];
  /** Where the next page begins; undefined: this is the last. */
  next?: string;
}

interface Deps {
  jobs: Jobs;
  queue: Pick<Queue, 'list'>;
}

/** @param before a place: the `next` of the page before */
export async function pageOfJobs(
  deps: Deps,
  owner: string,
  { limit, before }: { limit: number; before: string | undefined },
  wanted: Wanted,
): Promise<Found> {
  const rows = rowsOf(deps, owner, wanted.status);
  const jobs: FoundJob[] = [];
  let place = before;
  for (let read = 0; read < READ_AT_MOST;) {
    const missing = limit - jobs.length;
    const isSieved = wanted.request !== undefined || wanted.status === 'cancelled';
    const page = await rows(isSieved ? READ_AT_ONCE : Math.min(missing, READ_AT_MOST - read), place);
    read += page.items.length;
    for (const job of await jobsAt(deps.jobs, page.items, wanted)) {
      jobs.push(job);
      if (jobs.length < limit) continue;
      // Of a page of filtered jobs, some may not have been looked at.
      const isLast = page.cursor === undefined && job.state.jobId === page.items.at(-1)!.jobId;
      return { jobs, ...(!isLast && { next: job.state.ownerOrder }) };
    }
    place = page.cursor;
    if (place === undefined) return { jobs };
  }
  return { jobs, next: place! };
}

type Rows = (limit: number, before: string | undefined) => Promise<RowPage<OwnedJob>>;

/** From the index that has the fewest others in it. */
function rowsOf({ jobs, queue }: Deps, owner: string, status: Status | undefined): Rows {
  if (status === 'completed' || status === 'failed')
    // "~" sorts behind every place; a row's key goes on behind its place.
    return (limit, before) => jobs.listRan(owner, status, limit, before);
  if (status === 'queued' || status === 'processing') {
    let unended: OwnedJob[] | undefined;
    return async (limit, before) => {
      unended ??= await unendedOf(queue, owner);
      const from = before === undefined ? 0 : unended.findIndex(({ place }) => place < before);
      const items = from < 0 ? [] : unended.slice(from, from + limit);
      const last = items.at(-1);
      return { items, ...(last && from + limit < unended.length && { cursor: last.place }) };
    };
  }
  return (limit, before) => jobs.listOwned(owner, limit, before);
}

/** From the queue, which a process reads for all owners together: at most a second old, or some more where it is long. */
async function unendedOf(queue: Pick<Queue, 'list'>, owner: string): Promise<OwnedJob[]> {
  const { waiting, held } = await unendedIn(queue, Infinity, owner);
  const known = sorted.get(waiting);
  if (known?.held === held) return known.rows;
  const places = new Map(
    [...waiting, ...held].map(({ jobId, workOrder }) => [
      jobId,
      ownerOrder(readWorkOrder(workOrder).acceptedAt, jobId),
    ]),
  );
  const rows = [...places]
    .map(([jobId, place]) => ({ jobId, place }))
    .sort((a, b) => (a.place < b.place ? 1 : -1));
  sorted.set(waiting, { held, rows });
  return rows;
}

/** Of a long queue, as long as it is the same one: sorting thousands takes longer than all the rest of a page. */
const sorted = new WeakMap<readonly QueueEntry[], { held: readonly QueueEntry[]; rows: OwnedJob[] }>();

/** Those that are there and meant, in the order of the rows. What most fail at is read first, and the rest of few. */
async function jobsAt(jobs: Jobs, rows: readonly OwnedJob[], wanted: Wanted): Promise<FoundJob[]> {
  const ids = rows.map(({ jobId }) => jobId);
  const isOfStatus = ({ status }: JobState) => wanted.status === undefined || status === wanted.status;
  const statesOf = async (of: string[]) =>
    (await jobs.readStates(of, { consistent: true })).filter(isOfStatus);
  if (wanted.request) {
    const requests = await requestsOf(jobs, ids);
    const meant = ids.filter((jobId) => requests.has(jobId) && wanted.request!(requests.get(jobId)!));
    return jobsOf(await statesOf(meant), requests);
  }
  if (wanted.status === undefined) {
    const [states, requests] = await Promise.all([statesOf(ids), requestsOf(jobs, ids)]);
    return jobsOf(states, requests);
  }
  const states = await statesOf(ids);
  const requests = await requestsOf(
    jobs,
    states.map(({ jobId }) => jobId),
  );
  return jobsOf(states, requests);
}

/** Of a job that was accepted a moment ago, an eventually consistent read may have none yet: it is asked for again. */
async function requestsOf(jobs: Jobs, ids: string[]): Promise<Map<string, ShownRequest>> {
  const requests: Map<string, ShownRequest> = await jobs.readRequests(ids, SHOWN);
  const late = ids.filter((jobId) => !requests.has(jobId));
  for (const request of await Promise.all(late.map((jobId) => jobs.readRequest(jobId))))
    if (request) requests.set(request.jobId, request);
  return requests;
}
