// Which workflows there are and what they take: as the API that runs says, or as this folder's templates say where none
// does. Both in the same form, JSON Schema, so that whoever reads it need not know which.

import recordedNodes from '../comfyui/recorded-object-info.json' with { type: 'json' };
import { describeTemplate } from '../core/describe.ts';
import { choicesOf } from '../core/inputs.ts';
import { loadTemplates } from '../runtime/workflows.ts';
import type { Api, Workflow } from './api.ts';

export interface Catalogue {
  /** The default first. */
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
