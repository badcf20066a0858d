// A valid body for POST /api/generate, for a person to paste. Pure.

import type { FileType } from './file-types.ts';
import {
  boundsOf,
  type InputSpec,
  type InputValue,
  type InputValues,
  targetsOf,
  type Template,
} from './template.ts';

/** One that only the caller can give. */
export interface FileInput {
  name: string;
  type: FileType;
}

/** Values for the required inputs. */
export function exampleOf(template: Template): { values: InputValues; files: FileInput[] } {
  const needed = Object.entries(template.inputs).filter(([, { required }]) => required);
  const values: InputValues = {};
  const files: FileInput[] = [];
  for (const [name, spec] of needed) {
    const value = spec.default === undefined || spec.default === '' ? sampleOf(template, spec) : spec.default;
    if (value === undefined) files.push({ name, type: spec.type as FileType });
    else values[name] = value;
  }
  return { values, files };
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
