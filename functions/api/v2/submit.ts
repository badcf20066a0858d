// POST /api/v2/jobs: a graph with its labels becomes a job, accepted as every other.

import type { Context } from 'hono';
import type { Caller } from '../../core/access.ts';
import { stringifyJson } from '../../core/json.ts';
import { parseLabels } from '../../core/labels.ts';
import { hashBytes, OWN_GRAPH } from '../../core/request.ts';
import { accept, type Wanted } from '../admission/accept.ts';
import { PARTNER_CREDENTIALS, partnerCredentialIn } from '../admission/partner-credentials.ts';
import type { ApiEnv } from '../deps.ts';
import { jsonObject } from '../http/body.ts';
import { idempotencyKeyOf } from '../http/idempotency-key.ts';
import { exactJson } from '../http/exact-json.ts';
import { setHeaders } from '../http/headers.ts';
import { originOf } from '../http/link-origin.ts';
import { stagingOf, withoutAssets } from './asset-refs.ts';
import { checkGraph, graphOf, invalidWorkflow } from './check-graph.ts';
import type { V2Deps } from './deps.ts';
import { V2Error } from './errors.ts';
import { jobView } from './job-view.ts';

const FIELDS = ['workflow', 'metadata', 'extra_data'];
/** The contract keeps them for later. */
const RESERVED = ['webhook_url', 'inputs'];

export async function submit(deps: V2Deps, c: Context<ApiEnv>): Promise<Response> {
  const body = await jsonObject(c);
  refuseFields(body);
  refuseExtraData(body['extra_data']);
  const wanted = fromGraph(deps, c.get('caller'), body);
  const { request, state, headers } = await accept(deps, c.get('caller'), wanted, idempotencyKeyOf(c));
  const job = state ? { state, request } : await deps.reader.read(request.jobId);
  if (!job) throw new Error(`Job ${request.jobId} is gone right after it was accepted`);
  setHeaders(c, headers);
  // The contract refuses a key that comes again; whose answer was lost would pay twice, or never learn of the job.
  if (!state) c.header('Idempotency-Replayed', 'true');
  return exactJson(c, await jobView(deps, job, originOf(deps.settings, c)), 201);
}

function fromGraph(
  deps: V2Deps,
  caller: Caller,
  { workflow, metadata: labels }: Record<string, unknown>,
): Wanted {
  // Its shape comes first: what is nested too deep could not be hashed.
  const graph = graphOf(workflow);
  const metadata = parseLabels(labels);
  return {
    bodyHash: hashBytes(Buffer.from(stringifyJson({ workflow: graph, metadata }))),

    async check() {
      const staging = await stagingOf(deps, caller, graph);
      const staged = new Set(staging.flatMap(({ to }) => to));
      await checkGraph(deps.fleet, withoutAssets(graph), (target) => staged.has(target));
      return {
        request: { workflow: OWN_GRAPH, inputs: {}, notes: [], staging, ...(metadata && { metadata }) },
        graph,
      };
    },

    graphOf: () => graph,
  };
}

function refuseFields(body: Record<string, unknown>): void {
  for (const [name, value] of Object.entries(body)) {
    if (FIELDS.includes(name) || value === null) continue;
    throw invalidWorkflow(
      RESERVED.includes(name)
        ? `"${name}" is reserved and not taken yet`
        : `Unknown field: ${name.slice(0, 60)}; a job takes ${FIELDS.join(', ')}`,
    );
  }
}

/** They must never be stored, and a job that waits in a table for any host has nowhere else to keep them. */
function refuseExtraData(extraData: unknown): void {
  if (extraData === undefined || extraData === null) return;
  if (typeof extraData !== 'object' || Array.isArray(extraData))
    throw new V2Error(422, 'invalid_request', '"extra_data" must be an object');
  const names: readonly string[] = PARTNER_CREDENTIALS;
  for (const [name, value] of Object.entries(extraData))
    if (!names.includes(name) || typeof value !== 'string')
      throw new V2Error(422, 'invalid_request', `"extra_data" takes ${names.join(' and ')}, as texts`);
  const credential = partnerCredentialIn(extraData);
  if (credential !== undefined)
    throw new V2Error(
      422,
      'extra_data_not_supported',
      `"extra_data.${credential}" cannot be kept for a job that waits: sign ComfyUI itself in, or leave it out`,
    );
}
