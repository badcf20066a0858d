// A job by a template: the caller's inputs are checked against it, and the graph is rendered from it.

import type { Caller } from '../../core/access.ts';
import { AppError } from '../../core/errors.ts';
import { invalid, parseInputs } from '../../core/inputs.ts';
import { parseLabels } from '../../core/labels.ts';
import { MAX_DRAWN_SEED } from '../../core/limits.ts';
import { isUnrunnable, missingOf, neededOf } from '../../core/missing-requirements.ts';
import type { Graph } from '../../core/object-info.ts';
import { parsePriority } from '../../core/priority.ts';
import { render } from '../../core/render.ts';
import { hashBody } from '../../core/request.ts';
import type { Template } from '../../core/template.ts';
import { parseWebhookUrl } from '../../core/webhook.ts';
import type { AcceptDeps, Wanted } from './accept.ts';
import { fetchFiles, findFiles } from './template-files.ts';

type Templates = ReadonlyMap<string, Template>;

/** @param body parsed JSON */
export function fromTemplate(deps: AcceptDeps, caller: Caller, body: Record<string, unknown>): Wanted {
  return {
    bodyHash: hashOf(body),

    async check(templates) {
      const { workflow, preset, webhook_url, metadata: labels, priority: given, ...inputs } = body;
      const webhookUrl = parseWebhookUrl(webhook_url, deps.settings.webhookAllowPrivate ?? false);
      const metadata = parseLabels(labels);
      const priority = parsePriority(given);
      const template = templateOf(templates, workflow);
      const { nodes } = await deps.fleet.inventory();
      const { values: parsed, notes } = parseInputs(template, inputs, presetOf(preset), nodes, () =>
        randomSeed(deps.random(8)),
      );
      const seedInput = Object.entries(template.inputs).find(([, spec]) => spec.type === 'seed')?.[0];
      const values = await fetchFiles(deps, caller, template, parsed);
      const staging = await findFiles(deps, caller.owner, template, values);
      const graph = render(template, values);
      await refuseUnrunnable(deps, template.name, graph);
      return {
        request: {
          workflow: template.name,
          inputs: values,
          notes,
          staging,
          ...(seedInput !== undefined && seedInput !== 'seed' && { seedInput }),
          ...(webhookUrl !== undefined && { webhookUrl }),
          ...(metadata !== undefined && { metadata }),
          ...(priority !== 'normal' && { priority }),
          ...(template.image_metadata !== undefined && { imageMetadata: template.image_metadata }),
        },
        graph,
      };
    },

    graphOf({ workflow, inputs }, templates) {
      const template = templates.get(workflow);
      return template && render(template, inputs);
    },
  };
}

/** While no host is up another may have more than the last ones: the job waits for it. @throws AppError no_host_can_run */
async function refuseUnrunnable({ fleet }: AcceptDeps, workflow: string, graph: Graph): Promise<void> {
  const { hosts, mayHaveMore } = await fleet.declarations();
  if (mayHaveMore || !isUnrunnable(graph, hosts)) return;
  const missing = missingOf(graph, hosts);
  throw new AppError('no_host_can_run', `No host can run ${workflow}: it needs ${neededOf(missing)}`, {
    missing,
  });
}

/** What is nested, but for labels, is never accepted, and hashing it could go deeper than the stack. */
function hashOf({ metadata, ...flat }: Record<string, unknown>): string {
  if (!isFlat(flat)) return '';
  if (typeof metadata !== 'object' || metadata === null) return hashBody({ ...flat, metadata });
  if (!isFlat(metadata)) return '';
  return hashBody({ ...flat, metadata: Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1)) });
}

function isFlat(body: object): boolean {
  return Object.values(body).every((value) => typeof value !== 'object' || value === null);
}

function templateOf(templates: Templates, workflow: unknown): Template {
  const name = workflow ?? templates.keys().next().value;
  const template = typeof name === 'string' ? templates.get(name) : undefined;
  if (!template)
    throw invalid('workflow', `must be one of ${[...templates.keys()].join(', ')}`, 'unknown_workflow');
  return template;
}

function presetOf(preset: unknown): string | undefined {
  if (preset === undefined || preset === null) return undefined;
  if (typeof preset !== 'string') throw invalid('preset', 'must be a string');
  return preset;
}

function randomSeed(bytes: Uint8Array): number {
  const value = Buffer.from(bytes).readBigUInt64BE() & BigInt(MAX_DRAWN_SEED);
  return Number(value);
}
