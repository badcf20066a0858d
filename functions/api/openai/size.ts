// `size` as the width and height of a template.

import { boundsOf, type InputSpec, type Template } from '../../core/inputs-file.ts';
import { OpenAIError } from './errors.ts';

/** Empty: the template's own. @throws OpenAIError */
export function sizeOf({ name, inputs }: Template, size: unknown): { width?: number; height?: number } {
  if (size === undefined || size === 'auto') return {};
  const [, width, height] = (typeof size === 'string' && /^(\d{1,6})x(\d{1,6})$/.exec(size)) || [];
  if (width === undefined || height === undefined)
    throw OpenAIError.invalid(
      'size',
      'invalid_value',
      'must be auto or as 1024x1024: width and height in pixels',
    );
  const specs = { width: inputs['width'], height: inputs['height'] };
  if (!isLength(specs.width) || !isLength(specs.height))
    throw OpenAIError.invalid('size', 'unsupported_value', `must be auto: the model ${name} has one size`);
  const asked = { width: Number(width), height: Number(height) };
  if (fits(specs.width, asked.width) && fits(specs.height, asked.height)) return asked;
  throw OpenAIError.invalid(
    'size',
    'invalid_value',
    `must have a width ${gridOf(specs.width)} and a height ${gridOf(specs.height)}; the nearest is ${nearest(specs.width, asked.width)}x${nearest(specs.height, asked.height)}`,
  );
}

function isLength(spec: InputSpec | undefined): spec is InputSpec {
  return spec?.type === 'integer';
}

function gridOf(spec: InputSpec) {
  const { minimum = 1, maximum } = boundsOf(spec);
  const range = `from ${minimum}${maximum === undefined ? '' : ` to ${maximum}`}`;
  return spec.multiple_of === undefined ? range : `${range} in steps of ${spec.multiple_of}`;
}

function fits(spec: InputSpec, length: number): boolean {
  return nearest(spec, length) === length;
}

function nearest(spec: InputSpec, length: number): number {
  const { minimum = 1, maximum = Number.MAX_SAFE_INTEGER } = boundsOf(spec);
  const step = spec.multiple_of ?? 1;
  const least = Math.ceil(Number(minimum) / step) * step;
  const most = Math.floor(Number(maximum) / step) * step;
  return Math.min(most, Math.max(least, Math.round(length / step) * step));
}
