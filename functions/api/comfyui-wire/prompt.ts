// POST /prompt: a graph becomes a durable job, accepted as every other, or is refused in ComfyUI's words. GET /prompt: how many of the
// caller's wait or run.

import { gzipSync } from 'node:zlib';
import type { Caller } from '../../core/access.ts';
import { AppError } from '../../core/errors.ts';
import { stringifyJson } from '../../core/json.ts';
import { MAX_GRAPH_BYTES } from '../../core/limits.ts';
import { isJobId, promptKey } from '../../core/names.ts';
import type { Graph } from '../../core/object-info.ts';
import { type NodeErrors, preflight } from '../../core/preflight/preflight.ts';
import { isDeeperThan } from '../../core/json-value.ts';
import { misshapen } from '../../core/preflight/shape.ts';
import { MB } from '../../core/quota.ts';
import { hashBytes, OWN_GRAPH } from '../../core/request.ts';
import { accept, type Wanted } from '../admission/accept.ts';
import { partnerCredentialIn } from '../admission/partner-credentials.ts';
import { exactJson } from '../http/exact-json.ts';
import { setHeaders } from '../http/headers.ts';
import type { Mounted } from '../http/route.ts';
import { bodyOf, isTexts } from './body.ts';
import type { WireDeps } from './deps.ts';
import { PromptRefused, refusedFor } from './errors.ts';
import { stagingWithin, wireFiles } from './graph-files.ts';
import { partOf } from './part-of-graph.ts';
import { promptIdOf } from './prompts.ts';
import type { Sockets } from './sockets.ts';

/** A graph, and the canvas that ComfyUI's page sends beside it. */
const MAX_BODY_BYTES = 2 * MAX_GRAPH_BYTES;
/** Compressed: it is stored with the job's request. */
const MAX_EXTRA_DATA_BYTES = 64 * 1024;
const MAX_EXTRA_DATA_NESTING = 100;

interface Prompt {
  graph: Graph;
  id: string | undefined;
  extraData: Uint8Array;
  targets: string[] | undefined;
  /** Before the caller's other jobs. */
  front: boolean;
}

export const promptRoutes = (deps: WireDeps, sockets: Pick<Sockets, 'sent'>): Mounted[] => [
  {
    route: 'POST /prompt',
    scope: 'graphs',
    body: { limit: { bytes: MAX_BODY_BYTES, tooLarge } },
    errors: ['too_many_requests'],
    async handle(c) {
      const prompt = readPrompt(await bodyOf(c));
      const { wanted, nodeErrors } = jobOf(deps, c.get('caller'), prompt);
      const key = prompt.id === undefined ? undefined : promptKey(prompt.id);
      const accepted = await accept(deps, c.get('caller'), wanted, key).catch((error: unknown) => {
        if (!(error instanceof AppError) || error.code !== 'idempotency_mismatch') throw error;
        throw refusedFor(
          'prompt_id_in_use',
          'Another graph was sent with this prompt_id',
          'a prompt_id names one job for good; send a new one, or none',
        );
      });
      const { request, headers } = accepted;
      const state = accepted.state ?? (await deps.jobs.readState(request.jobId));
      if (!state) throw new Error(`Job ${request.jobId} is gone right after it was accepted`);
      setHeaders(c, headers);
      const promptId = promptIdOf({ state, request });
      sockets.sent({ state, request });
      return exactJson(c, { prompt_id: promptId, number: state.createdAt, node_errors: nodeErrors() });
    },
  },
  {
    route: 'GET /prompt',
    scope: 'read',
    async handle(c) {
      const { waiting, held } = await deps.queue.count(c.get('caller').owner);
      return exactJson(c, { exec_info: { queue_remaining: waiting + held } });
    },
  },
];

/** @throws PromptRefused */
function readPrompt(body: Record<string, unknown>): Prompt {
  const { prompt, prompt_id: id, client_id: clientId, extra_data: extraData, number, front } = body;
  const targets = body['partial_execution_targets'];
  if (id !== undefined && id !== null && (typeof id !== 'string' || !isJobId(id)))
    throw refusedFor(
      'invalid_prompt_id',
      'prompt_id must be a valid UUID',
      'prompt_id must be a UUID string in canonical lowercase hyphenated form; omit it to let the server generate one',
    );
  if (number !== undefined && number !== null && number !== 0)
    throw refusedFor(
      'order_not_supported',
      'A queue that is fair to all its callers takes no place from one of them',
      'send the prompt without "number"; "front": true puts it before your own other prompts',
    );
  if (!Object.hasOwn(body, 'prompt'))
    throw refusedFor('no_prompt', 'No prompt provided', 'No prompt provided');
  if (targets !== undefined && targets !== null && !isTexts(targets))
    throw refusedFor('invalid_prompt', '"partial_execution_targets" must be a list of node ids');
  // Its shape comes first: what is nested too deep could not be hashed.
  const odd = misshapen(prompt);
  if (odd) throw new PromptRefused(odd);
  if (Object.keys(prompt as object).length === 0)
    throw refusedFor('prompt_no_outputs', 'Prompt has no outputs');
  return {
    graph: prompt as Graph,
    id: id ?? undefined,
    extraData: packExtraData(extraData ?? {}, clientId),
    targets: targets ?? undefined,
    // As ComfyUI takes it.
    front: Boolean(front),
  };
}

function packExtraData(given: unknown, clientId: unknown): Uint8Array {
  const refuse = (message: string, details = '') => refusedFor('invalid_extra_data', message, details);
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw refuse('"extra_data" must be an object');
  const credential = partnerCredentialIn(given);
  if (credential !== undefined)
    throw refuse(
      `"extra_data.${credential}" cannot be kept for a job that waits`,
      'sign ComfyUI itself in, or leave it out',
    );
  if (isDeeperThan(given, MAX_EXTRA_DATA_NESTING))
    throw refuse(`"extra_data" is nested deeper than ${MAX_EXTRA_DATA_NESTING} levels`);
  if (clientId !== undefined && clientId !== null && typeof clientId !== 'string')
    throw refuse('"client_id" must be a text');
  const packed = gzipSync(
    stringifyJson({ ...given, ...(typeof clientId === 'string' && { client_id: clientId }) }),
  );
  if (packed.length > MAX_EXTRA_DATA_BYTES)
    throw refuse(`"extra_data" has ${packed.length} bytes, compressed; ${MAX_EXTRA_DATA_BYTES} are allowed`);
  return packed;
}

/** `nodeErrors`: of the outputs that are left out, once it is accepted. */
function jobOf(
  deps: WireDeps,
  caller: Caller,
  { graph, id, extraData, targets, front }: Prompt,
): { wanted: Wanted; nodeErrors(): NodeErrors } {
  let nodeErrors: NodeErrors = {};
  const wanted: Wanted = {
    bodyHash: hashBytes(Buffer.from(stringifyJson({ graph, targets }))),

    async check() {
      const { hosts: known, mayHaveMore } = await deps.fleet.declarations();
      const { hosts, hasFile, staging } = await wireFiles(deps, caller, graph, known);
      const checked = preflight(graph, hosts, { targets, mayHaveMore, hasFile });
      if (checked.error) throw new PromptRefused(checked.error, checked.node_errors);
      if (checked.hosts.length === 0) refuseUnnamed(graph);
      nodeErrors = checked.node_errors;
      // Without a host that says which nodes are outputs, a target is taken at its word.
      const outputs = checked.outputs.length > 0 ? checked.outputs : (targets ?? []);
      const isPart = targets !== undefined || Object.keys(nodeErrors).length > 0;
      const wire = {
        ...(id !== undefined && { promptId: id }),
        extraData,
        outputs,
        ...(isPart && { isPart: true as const }),
      };
      const run = isPart ? partOf(graph, outputs) : graph;
      return {
        request: {
          workflow: OWN_GRAPH,
          inputs: {},
          notes: [],
          staging: stagingWithin(run, staging),
          wire,
          ...(front && { priority: 'high' as const }),
        },
        graph: run,
      };
    },

    graphOf: ({ wire }) => (wire?.isPart ? partOf(graph, wire.outputs) : graph),
  };
  return { wanted, nodeErrors: () => nodeErrors };
}

/** What the nodes of a host would say, where none are known. */
function refuseUnnamed(graph: Graph): void {
  for (const [id, node] of Object.entries(graph)) {
    const { class_type: classType, inputs } = node as { class_type?: unknown; inputs?: unknown };
    if (typeof classType !== 'string' || inputs === undefined)
      throw refusedFor(
        'invalid_prompt',
        `Node '${id}' must have "class_type" and "inputs"`,
        `Node ID '#${id}'`,
      );
  }
}

function tooLarge(): never {
  throw new AppError('body_too_large', `A prompt may have at most ${MAX_BODY_BYTES / MB} MB`);
}
