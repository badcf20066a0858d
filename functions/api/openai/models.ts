// A workflow as a model.

import type { Template } from '../../core/template.ts';
import { OpenAIError } from './errors.ts';

type Templates = ReadonlyMap<string, Template>;

/** Names that applications have by default, and that no workflow has. */
const OPENAIS_OWN = /^(gpt|chatgpt|dall-e)-/i;

export function modelView({ name, title, description }: Template) {
  return {
    id: name,
    object: 'model',
    // A file has no birth that is the same on every machine.
    created: 0,
    owned_by: 'comfyui',
    name: title,
    ...(description !== undefined && { description }),
  };
}

/** @throws OpenAIError model_not_found */
export function modelNamed(templates: Templates, name: string): Template {
  const template = templates.get(name);
  if (template) return template;
  throw new OpenAIError(
    404,
    'invalid_request_error',
    'model_not_found',
    `There is no model ${name.slice(0, 100)}; there are ${[...templates.keys()].join(', ')}`,
    'model',
  );
}

/**
 * The model that is meant: the default where none is named, or one of OpenAI's own.
 * @param suits what the default must be @throws OpenAIError
 */
export function modelOf(
  templates: Templates,
  name: unknown,
  suits: (template: Template) => boolean = () => true,
): Template {
  if (name !== undefined && typeof name !== 'string')
    throw OpenAIError.invalid('model', 'invalid_type', 'must be a text');
  const isOurs = name !== undefined && name !== '' && (templates.has(name) || !OPENAIS_OWN.test(name));
  if (isOurs) return modelNamed(templates, name);
  const template = [...templates.values()].find(suits);
  if (template) return template;
  throw OpenAIError.invalid('model', 'model_not_found', 'must be named: none here suits this call');
}
