// What the routes of jobs do (jobs.ts): which jobs are meant, and how one is shown in a list and alone.

import type { Context } from 'hono';
import type { Job } from '../../core/job.ts';
import { invalid } from '../../core/inputs.ts';
import { iso, jobView, outputView, promptOf } from '../../core/job-view.ts';
import { stringifyJson } from '../../core/json.ts';
import { hasLabels, type Labels, problemOfLabel } from '../../core/labels.ts';
import { publishedPrefix } from '../../core/names.ts';
import { failedNode } from '../../core/outcome.ts';
import { OWN_GRAPH } from '../../core/request.ts';
import { readGraph } from '../../images/documents.ts';
import { ownJob } from '../admission/own-job.ts';
import { type FoundJob, pageOfJobs, type Wanted } from '../caches/owned-jobs.ts';
import type { ApiEnv } from '../deps.ts';
import { originOf } from '../http/link-origin.ts';
import { cursorOf, jobNotFound } from '../http/parameters.ts';
import type { Shared } from './shared.ts';
import { statusView } from './views.ts';

const MAX_FILTERS = 3;

interface Filters {
  search: string | undefined;
  workflow: string | undefined;
  state: Wanted['status'];
  label: string[];
}

/** @throws AppError invalid_field */
export async function listed(
  deps: Shared,
  owner: string,
  at: { limit: number; before: string | undefined },
  filters: Filters,
) {
  const found = await pageOfJobs(deps, owner, at, wantedOf(filters));
  return { jobs: found.jobs.map(listedView), next_cursor: cursorOf(found.next) };
}

/** @throws AppError job_not_found */
export async function detailed(deps: Shared, c: Context<ApiEnv>, id: string) {
  const job = await ownJob(deps, c.get('caller'), id);
  const status = await statusView(deps, job, originOf(deps.settings, c));
  return { ...status, ...detailsOf(job), outputs: status.outputs.map(withPaths) };
}

/** @throws AppError job_not_found */
export async function graphFile(deps: Shared, c: Context<ApiEnv>, id: string): Promise<Response> {
  const { request } = await ownJob(deps, c.get('caller'), id);
  // What a process remembers of a request is without its graph.
  const whole = await deps.jobs.readRequest(id);
  const graph = whole && (await readGraph(deps.images, whole));
  if (!graph) throw jobNotFound();
  const name = request.workflow === OWN_GRAPH ? 'graph' : publishedPrefix(request.workflow);
  return c.body(stringifyJson(graph), 200, {
    'Content-Type': 'application/json',
    'Content-Disposition': `attachment; filename="${name}-${id.slice(0, 8)}.json"`,
  });
}

function wantedOf({ search = '', workflow, state, ...asked }: Filters): Wanted {
  const label = labelsOf(asked.label);
  const words = comparable(search).split(/\s+/).filter(Boolean);
  const isAny = words.length === 0 && workflow === undefined && label === undefined;
  return {
    status: state,
    request: isAny
      ? undefined
      : (request) =>
          (workflow === undefined || request.workflow === workflow) &&
          (label === undefined || hasLabels(request.metadata, label)) &&
          hasWords(promptOf(request), words),
  };
}

/** @returns undefined: none were asked for */
function labelsOf(given: readonly string[]): Labels | undefined {
  if (given.length > MAX_FILTERS) throw invalid('label', `may be given ${MAX_FILTERS} times at most`);
  const wanted: Labels = {};
  for (const one of given) {
    const colon = one.indexOf(':');
    if (colon < 0) throw invalid('label', 'must be written name:value');
    const [name, value] = [one.slice(0, colon), one.slice(colon + 1)];
    const problem = Object.hasOwn(wanted, name)
      ? 'may be asked for once by each name'
      : problemOfLabel(name, value);
    if (problem !== undefined) throw invalid('label', problem);
    wanted[name] = value;
  }
  return given.length === 0 ? undefined : wanted;
}

function hasWords(prompt: string, words: readonly string[]): boolean {
  if (words.length === 0) return true;
  const whole = comparable(prompt);
  return words.every((word) => whole.includes(word));
}

/** `É` may be one character or two. */
const comparable = (given: string) => given.normalize('NFKC').toLowerCase();

function listedView(job: FoundJob) {
  const { state } = job;
  return {
    ...jobView(job),
    duration_seconds: secondsBetween(state.startedAt, state.endedAt),
    outputs: (state.outputs ?? []).map((output, index) => withPaths(outputView(output, index + 1))),
  };
}

function withPaths<Shown extends { filename: string; kind: string }>(output: Shown) {
  const path = `/api/image/${output.filename}`;
  return { ...output, path, thumbnail: output.kind === 'image' ? `${path}/thumbnail` : null };
}

function detailsOf({ state, request }: Job) {
  const at = state.errorCode === 'node_failed' ? failedNode(state.error) : undefined;
  return {
    duration_seconds: secondsBetween(state.startedAt, state.endedAt),
    owner: state.owner,
    inputs: request.inputs,
    host: state.host ?? state.claimedBy ?? null,
    claimed_at: iso(state.claimedAt),
    queued_seconds: secondsBetween(state.createdAt, state.startedAt),
    lost_attempts: state.lostAttempts,
    failed_node: at
      ? { node: at.node, class_type: at.classType, exception: at.exception, message: at.message }
      : null,
  };
}

/** Of two clocks' times: never below 0. */
function secondsBetween(from: number | undefined, to: number | undefined): number | null {
  return from === undefined || to === undefined ? null : Math.max(0, to - from) / 1000;
}
