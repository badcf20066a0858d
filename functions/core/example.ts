// A valid body for POST /api/generate, for a person to paste. Pure.

import {
  boundsOf,
  type InputSpec,
  type InputValue,
  type InputValues,
  targetsOf,
  type Template,
} from './template.ts';

/** Values for the required inputs. `images`: required image inputs, for which only the caller has a value. */
export function exampleOf(template: Template): { values: InputValues; images: string[] } {
  const needed = Object.entries(template.inputs).filter(([, { required }]) => required);
  const values: InputValues = {};
  const images: string[] = [];
  for (const [name, spec] of needed) {
    const value = spec.default === undefined || spec.default === '' ? sampleOf(template, spec) : spec.default;
    if (value === undefined) images.push(name);
    else values[name] = value;
  }
  return { values, images };
}

function sampleOf(template: Template, spec: InputSpec): InputValue | undefined {
  switch (spec.type) {
    case 'string':
      return 'A red fox in fresh snow, morning light'.slice(0, spec.max_length);
    case 'integer':
    case 'number':
      return numberOf(spec);
    case 'boolean':
      return true;
    case 'seed':
      return boundsOf(spec).minimum || 1;
    case 'choice': {
      // The value in the export existed where the template was made.
      const { node, field } = targetsOf(spec)[0]!;
      return template.graph[node]!.inputs[field] as InputValue;
    }
    default:
      return undefined;
  }
}

function numberOf({ minimum, maximum, multiple_of: step = 0 }: InputSpec): number | bigint {
  if (minimum !== undefined) return step > 0 ? Math.ceil(Number(minimum) / step) * step : minimum;
  const top = maximum === undefined ? Infinity : Number(maximum);
  return Math.min(step || 1, step > 0 ? Math.floor(top / step) * step : top);
}
