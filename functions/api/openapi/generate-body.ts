// The body of POST /api/generate as JSON Schema, from the templates that validate it: one shape per workflow, identified
// by `workflow`; without it the first is meant.

import { describeTemplate } from '../../core/describe.ts';
import { exampleOf } from '../../core/example.ts';
import type { Template } from '../../core/template.ts';
import type { JsonSchema } from '../http/answers.ts';

type Templates = ReadonlyMap<string, Template>;

/**
 * What a choice may be depends on the hosts, which come and go, and the document does not: GET /api/workflows/{name}
 * says it.
 */
const CHOICES_UNKNOWN = () => undefined;

/** @param common fields that every workflow takes */
export function generateBody(templates: Templates, common: Record<string, JsonSchema>): JsonSchema {
  return {
    description:
      'What a workflow does not declare is refused by name. null counts as absent, and a number may be sent as text.',
    oneOf: [...templates.values()].map((template, index) => bodyOf(template, index === 0, common)),
  };
}

function bodyOf(template: Template, isDefault: boolean, common: Record<string, JsonSchema>): JsonSchema {
  const { title, description, inputs } = describeTemplate(template, CHOICES_UNKNOWN);
  const presets = Object.keys(template.presets);
  return {
    title,
    ...(description && { description }),
    type: 'object',
    additionalProperties: false,
    required: [...(isDefault ? [] : ['workflow']), ...inputs.required],
    properties: {
      workflow: { const: template.name, ...(isDefault && { default: template.name }) },
      ...(presets.length > 0 && {
        preset: {
          type: 'string',
          enum: presets,
          description: 'Values for several inputs; what is sent beside it wins',
        },
      }),
      ...inputs.properties,
      ...common,
    },
  };
}

/** Bodies that are accepted as they stand; none of a workflow that needs a file which only the caller has. */
export function generateExamples(
  templates: Templates,
): Record<string, { summary: string; value: JsonSchema }> {
  const examples: Record<string, { summary: string; value: JsonSchema }> = {};
  for (const [name, template] of templates) {
    const { values, files } = exampleOf(template);
    if (files.length > 0) continue;
    examples[name] = {
      summary: template.title,
      value: { workflow: name, ...values },
    };
  }
  return examples;
}
