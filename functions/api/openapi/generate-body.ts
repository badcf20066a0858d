// The body of POST /api/generate as JSON Schema, from the templates that validate it: one shape a workflow, told apart
// by `workflow`; without it the first is meant.

import { describeTemplate } from '../../core/describe.ts';
import { boundsOf, type InputSpec, type Template } from '../../core/template.ts';

export type JsonSchema = Record<string, unknown>;

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

/** Bodies that are accepted as they stand; none of a workflow that needs an image which only the caller has. */
export function generateExamples(
  templates: Templates,
): Record<string, { summary: string; value: JsonSchema }> {
  const examples: Record<string, { summary: string; value: JsonSchema }> = {};
  for (const [name, template] of templates) {
    const needed = Object.entries(template.inputs).filter(([, { required }]) => required);
    const values = needed.map(([input, spec]) => [input, spec.default ?? sampleOf(spec)] as const);
    if (values.some(([, value]) => value === undefined)) continue;
    examples[name] = {
      summary: template.title,
      value: { workflow: name, ...Object.fromEntries(values) },
    };
  }
  return examples;
}

/** Undefined: nobody can know one. */
function sampleOf(spec: InputSpec): string | number | boolean | undefined {
  switch (spec.type) {
    case 'string':
      return 'A red fox in fresh snow, morning light'.slice(0, spec.max_length);
    case 'integer':
    case 'number':
      return boundsOf(spec).minimum ?? spec.multiple_of ?? boundsOf(spec).maximum ?? 1;
    case 'boolean':
      return true;
    case 'seed':
      return 1;
    default:
      return undefined;
  }
}
