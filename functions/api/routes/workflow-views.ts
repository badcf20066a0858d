// Workflows as callers see them: what each takes, in the language of the caller, and which hosts can run it. Few calls ask for
// that, so that no cold start loads it.

import type { Context } from 'hono';
import { parseAccept } from 'hono/utils/accept';
import { describeTemplate } from '../../core/describe.ts';
import { choicesOf } from '../../core/inputs.ts';
import { type Missing, missingOf } from '../../core/missing-requirements.ts';
import { missingRequirements, modelsOf } from '../../core/object-info.ts';
import { faultsOf } from '../../core/preflight/faults.ts';
import type { Template } from '../../core/template.ts';
import { translated, translatedNotes } from '../../core/translated.ts';
import type { KnownHost } from '../caches/fleet.ts';
import type { ApiEnv } from '../deps.ts';
import type { Shared } from './shared.ts';

type Deps = Pick<Shared, 'workflows' | 'fleet'>;

/** @param accepted Accept-Language; @param isDetailed also what hosts say of each */
export async function listWorkflows(
  c: Context<ApiEnv>,
  { workflows, fleet }: Deps,
  accepted: string | undefined,
  isDetailed: boolean,
) {
  const { templates: all, refused, folder } = workflows;
  const wanted = rangesOf(accepted);
  const templates = [...all.values()].map((template) => translated(template, wanted));
  sayLanguages(c, templates);
  const names = {
    workflows: templates.map(({ name }) => name),
    titles: Object.fromEntries(templates.map(({ name, title }) => [name, title])),
    total: templates.length,
    refused: [...refused],
  };
  if (!isDetailed) return names;
  const hosts = await fleet.inventories();
  return {
    ...names,
    details: templates.map((template) => ({
      name: template.name,
      title: template.title,
      description: template.description ?? '',
      inputs: Object.keys(template.inputs),
      models: modelsOf(template.graph),
      ...checked(template, hosts),
    })),
    can_save: folder !== undefined,
  };
}

/** @param accepted Accept-Language */
export async function showWorkflow(
  c: Context<ApiEnv>,
  { fleet }: Deps,
  template: Template,
  accepted: string | undefined,
) {
  const shown = translated(template, rangesOf(accepted));
  sayLanguages(c, [shown]);
  const [{ nodes }, hosts] = await Promise.all([fleet.inventory(), fleet.inventories()]);
  const { missing, faults } = checked(template, hosts);
  return {
    ...describeTemplate(shown, (spec) => choicesOf(template, spec, nodes)),
    notes: translatedNotes(template, shown),
    missing,
    faults,
  };
}

/** More than a person reads. */
const MOST_RANGES = 20;

/** Those of the same weight in the order in which they stand. */
function rangesOf(accepted: string | undefined): string[] {
  return parseAccept(accepted ?? '')
    .filter(({ q }) => q > 0)
    .slice(0, MOST_RANGES)
    .map(({ type }) => type);
}

/** Of those that are known; whatever keeps answers has one for each language. */
function sayLanguages(c: Context<ApiEnv>, templates: readonly Template[]): void {
  const languages = new Set(templates.flatMap(({ language }) => language ?? []));
  if (languages.size > 0) c.header('Content-Language', [...languages].join(', '));
  c.header('Vary', 'Accept-Language', { append: true });
}

/** Nothing where one of the hosts runs it, or none is there to be asked. */
function checked(
  template: Template,
  hosts: readonly KnownHost[],
): { missing: Missing[]; faults: string[]; hosts: string[] } {
  // Hosts of one kind have the same inventory.
  const verdicts = new Map(
    [...new Set(hosts.map(({ nodes }) => nodes))].map((nodes) => [
      nodes,
      {
        missingRequirements: missingRequirements(template.graph, nodes),
        faults: faultsOf(template, nodes),
      },
    ]),
  );
  const found = hosts.map(({ hostId, nodes }) => ({ hostId, ...verdicts.get(nodes)! }));
  const able = found.filter((one) => one.missingRequirements.length === 0 && one.faults.length === 0);
  if (able.length > 0) return { missing: [], faults: [], hosts: able.map(({ hostId }) => hostId) };
  return { missing: missingOf(template.graph, hosts), faults: found[0]?.faults ?? [], hosts: [] };
}
