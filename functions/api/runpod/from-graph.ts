// A graph, and the images that its loaders name, as worker-comfyui's input has them. An image belongs to its job alone: two jobs may
// call different ones by the same name.

import type { Caller } from '../../core/access.ts';
import { AppError } from '../../core/errors.ts';
import { type FileInput, fileInputs } from '../../core/file-inputs.ts';
import { invalid } from '../../core/inputs.ts';
import { stringifyJson } from '../../core/json.ts';
import { parseLabels } from '../../core/labels.ts';
import { isUploadName, keys } from '../../core/names.ts';
import type { Graph, ObjectInfo } from '../../core/object-info.ts';
import { type NodeErrors, preflight } from '../../core/preflight/preflight.ts';
import { misshapen } from '../../core/preflight/shape.ts';
import { parsePriority } from '../../core/priority.ts';
import { hashBytes, OWN_GRAPH } from '../../core/request.ts';
import { parseWebhookUrl } from '../../core/webhook.ts';
import type { Wanted } from '../admission/accept.ts';
import { graphFiles, infosOf, MAX_FILES } from '../admission/graph-files.ts';
import { keyOfOutput } from '../admission/output-key.ts';
import type { RunpodDeps } from './deps.ts';
import { keepImage, type SentImage, sentImages } from './images.ts';

const FIELDS = ['workflow', 'images', 'metadata', 'priority', 'webhook_url'];
const FIELD = 'input.workflow';

/** @throws AppError */
export async function fromGraph(
  deps: RunpodDeps,
  caller: Caller,
  input: Record<string, unknown>,
): Promise<Wanted> {
  const unknown = Object.keys(input).find((name) => !FIELDS.includes(name));
  if (unknown !== undefined)
    throw new AppError(
      'unknown_field',
      `Unknown field: input.${unknown.slice(0, 60)}; beside a graph input takes images, metadata, priority and webhook_url`,
      { field: `input.${unknown}` },
    );
  const graph = graphOf(input['workflow']);
  const images = await sentImages(input['images']);
  const metadata = parseLabels(input['metadata']);
  const priority = parsePriority(input['priority']);
  const webhookUrl = parseWebhookUrl(input['webhook_url'], deps.settings.webhookAllowPrivate ?? false);
  const chosen = priority === 'normal' ? {} : { priority };
  const sent = images.map(({ name, upload }) => [name, upload]);
  const byName = new Map(images.map((image) => [image.name, image]));

  async function keyOf({ folder, path }: FileInput): Promise<string | undefined> {
    const image = folder === 'input' ? byName.get(path) : undefined;
    if (image) return keys.upload(caller.owner, image.upload);
    if (folder === 'output') return keyOfOutput(deps, caller, path);
    return isUploadName(path) ? deps.uploads.use(caller.owner, path, FIELD) : undefined;
  }

  return {
    bodyHash: hashBytes(Buffer.from(stringifyJson({ graph, sent, metadata, webhookUrl, ...chosen }))),

    async check() {
      const { hosts: known, mayHaveMore } = await deps.fleet.declarations();
      const { hosts, hasFile, staging } = await graphFiles({
        graph,
        inputs: filesIn(graph, infosOf(known), byName),
        hosts: known,
        keyOf,
        tooMany: (count) => invalid(FIELD, `names ${count} files; ${MAX_FILES} are allowed`),
      });
      const { error, node_errors: nodeErrors } = preflight(graph, hosts, { mayHaveMore, hasFile });
      refuse(nodeErrors);
      if (error) throw refusedGraph([error.message, error.details].filter(Boolean).join('; '));
      const read = new Set(staging.map(({ key }) => key));
      for (const image of images)
        if (read.has(keys.upload(caller.owner, image.upload))) await keepImage(deps, caller, image);
      return {
        request: {
          workflow: OWN_GRAPH,
          inputs: {},
          notes: [],
          staging,
          ...(webhookUrl !== undefined && { webhookUrl }),
          ...(metadata && { metadata }),
          ...chosen,
        },
        graph,
      };
    },

    graphOf: () => graph,
  };
}

/** What its nodes name; a node that no host knows is taken at its word where it names a sent image. */
function filesIn(
  graph: Graph,
  infos: readonly ObjectInfo[],
  images: ReadonlyMap<string, SentImage>,
): FileInput[] {
  const known = fileInputs(graph, infos);
  const targets = new Set(known.map(({ node, field }) => `${node}.${field}`));
  const unknown = Object.entries(graph).flatMap(([node, { class_type: classType, inputs }]) =>
    node.includes('.') || infos.some((info) => Object.hasOwn(info, classType))
      ? []
      : Object.entries(inputs ?? {}).flatMap(([field, value]) =>
          typeof value === 'string' && images.has(value) && !targets.has(`${node}.${field}`)
            ? [{ node, field, folder: 'input' as const, path: value }]
            : [],
        ),
  );
  return [...known, ...unknown];
}

/** @throws AppError invalid_field */
function graphOf(workflow: unknown): Graph {
  const odd = misshapen(workflow);
  if (odd) throw refusedGraph([odd.message, odd.details].filter(Boolean).join('; '));
  const nodes = Object.entries(workflow as object);
  if (nodes.length === 0) throw refusedGraph('The graph has no nodes');
  for (const [id, node] of nodes) {
    const { class_type: classType, inputs } = node as { class_type?: unknown; inputs?: unknown };
    if (typeof classType !== 'string' || inputs === undefined)
      throw refusedGraph(`Node ${id} must have "class_type" and "inputs"`);
  }
  return workflow as Graph;
}

/** A graph of which only a part runs would end as a failed job. */
function refuse(nodeErrors: NodeErrors): void {
  const lines = Object.entries(nodeErrors).flatMap(([id, { errors }]) =>
    errors.map(
      ({ type, message, details }) =>
        `Node ${id} (${type}): ${[message, details].filter(Boolean).join(': ')}`,
    ),
  );
  if (lines.length > 0) throw refusedGraph(lines.map((line) => `\n• ${line}`).join(''), nodeErrors);
}

/** In worker-comfyui's words. */
function refusedGraph(why: string, nodeErrors?: NodeErrors): AppError {
  return new AppError('invalid_field', `Workflow validation failed: ${why}`, {
    field: FIELD,
    ...(nodeErrors && { node_errors: nodeErrors }),
  });
}
