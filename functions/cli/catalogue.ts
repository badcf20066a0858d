// The workflows and their inputs: from the running API or, without one, from the local templates. Both have the same form,
// JSON Schema, so that callers do not distinguish them.

import recordedNodes from '../comfyui/recorded-object-info.json' with { type: 'json' };
import { describeTemplate } from '../core/describe.ts';
import { choicesOf } from '../core/inputs.ts';
import { loadTemplates } from '../runtime/workflows.ts';
import type { Api, Workflow } from './api.ts';

export interface Catalogue {
  /** Workflow names, the default first. */
  names: string[];
  describe(name: string): Promise<Workflow>;
}

export async function catalogueOf(api: Api): Promise<Catalogue> {
  return { names: await api.workflows(), describe: (name) => api.workflow(name) };
}

/** @throws AppError bad_template */
export async function localCatalogue(directory: string | undefined): Promise<Catalogue> {
  const templates = await loadTemplates(directory);
  return {
    names: [...templates.keys()],
    describe: (name) =>
      Promise.resolve(
        describeTemplate(templates.get(name)!, (spec) =>
          choicesOf(templates.get(name)!, spec, recordedNodes),
        ),
      ),
  };
}
