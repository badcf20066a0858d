// The templates that are shipped, and a small one of our own, for the tests of inputs, templates and graphs.

import { readFileSync } from 'node:fs';
import recorded from '../../functions/comfyui/recorded-object-info.json' with { type: 'json' };
import { AppError } from '../../functions/core/errors.ts';
import { parseInputs, type ParsedInputs } from '../../functions/core/inputs.ts';
import type { Graph, ObjectInfo } from '../../functions/core/object-info.ts';
import { parseTemplate, type Template } from '../../functions/core/template.ts';

export const SHIPPED = ['flux2_turbo_default', 'flux2_turbo_upscale', 'flux2_turbo_controlnet'] as const;
export const INFO = recorded as unknown as ObjectInfo;
export const SEED = 4242;

export function files(name: string): { graph: unknown; inputs: unknown } {
  const read = (file: string) =>
    JSON.parse(readFileSync(new URL(`../../workflows/${file}`, import.meta.url), 'utf8')) as unknown;
  return { graph: read(`${name}.json`), inputs: read(`${name}.inputs.json`) };
}

export function shipped(name: (typeof SHIPPED)[number]): Template {
  const { graph, inputs } = files(name);
  return parseTemplate(name, graph, inputs);
}

const standard = shipped('flux2_turbo_default');

/** As the route does it: from a body of JSON. */
export function parse(body: Record<string, unknown>, preset?: string, template = standard): ParsedInputs {
  return parseInputs(template, body, preset, INFO, () => SEED);
}

/** What is said to a body that is not accepted. */
export function refusal(read: () => ParsedInputs): AppError {
  try {
    read();
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error('was accepted');
}

/** One field beside a prompt: its value in force, or the sentence that names it. */
export const valueOf = (field: string, value: unknown) =>
  parse({ prompt: 'a fox', [field]: value }).values[field];
export function refused(field: string, value: unknown): string {
  const { code, message, details } = refusal(() => parse({ prompt: 'a fox', [field]: value }));
  if (code === 'invalid_field' && details?.field === field) return message;
  throw new Error(`${code} of ${details?.field}: ${message}`);
}

export const GRAPH: Graph = {
  '1': { class_type: 'LoadImage', inputs: { image: 'example.png' } },
  '2': {
    class_type: 'KSampler',
    inputs: { steps: 20, 'dotted.field': 1, sampler_name: 'euler', flag: true },
  },
  '3': {
    class_type: 'SaveImage',
    inputs: { images: ['2', 0], filename_prefix: 'out/Own' },
    _meta: { title: 'S' },
  },
};

/** A template with one node of each kind and these inputs. */
export function small(inputs: Record<string, unknown>, more: Record<string, unknown> = {}): Template {
  return parseTemplate('small', GRAPH, { title: 'Small', inputs, ...more });
}

/** What a template is refused with. Throws where it is accepted. */
export function refusalOf(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    if (error instanceof AppError && error.code === 'bad_template') return error.message;
    throw error;
  }
  throw new Error('was accepted');
}
