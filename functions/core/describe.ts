// A template's public description: title, presets, and inputs as JSON Schema.

import { MAX_TEXT } from './limits.ts';
import { linkOf, type Option } from './object-info.ts';
import { boundsOf, type InputSpec, type InputValue, targetsOf, type Template } from './template.ts';

/** The allowed values of an input; undefined where they are not known. */
export type Options = (spec: InputSpec) => Option[] | undefined;

type JsonType = 'string' | 'integer' | 'number' | 'boolean';

export interface InputSchema {
  type: JsonType | JsonType[];
  title?: string;
  description?: string;
  default?: InputValue;
  minimum?: number | bigint;
  maximum?: number | bigint;
  multipleOf?: number;
  maxLength?: number;
  minLength?: number;
  enum?: Option[];
  /** JSON Schema has no type for a file's name or for a seed that is drawn when absent. */
  'x-input': InputSpec['type'];
  /** Of an image: its transparent part is used. */
  'x-mask'?: true;
}

/** `inputs` is JSON Schema 2020-12. @param options the allowed values of inputs, where known */
export function describeTemplate(template: Template, options: Options) {
  const inputs = Object.entries(template.inputs);
  return {
    name: template.name,
    title: template.title,
    description: template.description ?? '',
    presets: template.presets,
    inputs: {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      type: 'object' as const,
      additionalProperties: false as const,
      required: inputs.filter(([, spec]) => spec.required).map(([name]) => name),
      properties: Object.fromEntries(inputs.map(([name, spec]) => [name, schemaOf(template, spec, options)])),
    },
  };
}

const JSON_TYPES = {
  string: 'string',
  choice: 'string',
  image: 'string',
  audio: 'string',
  video: 'string',
  file: 'string',
  integer: 'integer',
  seed: 'integer',
  number: 'number',
  boolean: 'boolean',
} as const satisfies Record<InputSpec['type'], JsonType>;

function schemaOf(template: Template, spec: InputSpec, options: Options): InputSchema {
  const choices = options(spec);
  const { minimum, maximum } = boundsOf(spec);
  return withoutUndefined({
    type: typesOf(choices) ?? JSON_TYPES[spec.type],
    title: spec.title,
    description: spec.description,
    default: spec.default,
    minimum,
    maximum,
    multipleOf: spec.multiple_of,
    maxLength: spec.type === 'string' ? (spec.max_length ?? MAX_TEXT) : undefined,
    minLength: spec.type === 'string' && spec.required ? 1 : undefined,
    enum: choices,
    'x-input': spec.type,
    'x-mask': spec.type === 'image' && usesMask(template, spec) ? true : undefined,
  });
}

/** Whether the transparent part of such an image acts on the job: LoadImage's second output is its mask. */
function usesMask({ graph }: Template, spec: InputSpec): boolean {
  const loaders = targetsOf(spec).map(({ node }) => node);
  return (
    loaders.some((node) => graph[node]?.class_type === 'LoadImageMask') ||
    Object.values(graph).some(({ inputs }) =>
      Object.values(inputs).some((value) => {
        const link = linkOf(value);
        return link?.output === 1 && loaders.includes(link.node);
      }),
    )
  );
}

/** A list may hold numbers. Undefined: only texts, or no list. */
function typesOf(choices: Option[] | undefined): JsonType | JsonType[] | undefined {
  const types = [...new Set((choices ?? []).map((choice) => typeof choice as JsonType))];
  return types.every((type) => type === 'string') ? undefined : types.length === 1 ? types[0] : types;
}

function withoutUndefined<T extends object>(record: T): T {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as T;
}
