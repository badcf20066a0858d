// What callers of a workflow could be given to set: each field of the graph that holds a value, with type, bounds and default
// by ComfyUI's declaration. Fields that one place on the canvas sets are one.

import { declaredInputs, DYNAMIC_COMBO } from '../declared-inputs.ts';
import { loadedType } from '../file-inputs.ts';
import { type FileType, fileTypeOf, isFileType } from '../file-types.ts';
import type { InputSpec } from '../inputs-file.ts';
import { boundsOf } from '../inputs-file.ts';
import { MAX_INTEGER, MAX_TEXT, MIN_INTEGER } from '../limits.ts';
import { type Graph, isModelFile, linkOf, type ObjectInfo, type Option, optionsOf } from '../object-info.ts';
import type { Field } from './convert.ts';
import { fedName, usesOf } from './uses.ts';

export interface Candidate {
  /** `node.field` of each that it sets. */
  to: string[];
  /** The input of the class that says what it takes. */
  field: string;
  /** The title of the node on which it is set. */
  node: string;
  /** As a person reads it. */
  title: string;
  /** What a person called this very field, if one did: an input of a subgraph, a primitive, a node that loads a file. */
  called?: string;
  /** Was the place on the canvas made for people: a subgraph's own input, or one of its app's? */
  isChosen: boolean;
  classType: string;
  /** Without a title. */
  spec: InputSpec;
  choices?: Option[];
  /** Does it name a model's file? */
  isModel: boolean;
  multiline: boolean;
}

/** @param fields of a canvas; without them each field of the graph stands for itself */
export function candidatesOf(graph: Graph, info: ObjectInfo, fields?: readonly Field[]): Candidate[] {
  const uses = usesOf(graph);
  return (fields ?? fieldsOf(graph)).flatMap(({ node, name, title, to }) => {
    const targets = to.filter((one) => one.node in graph && !one.node.includes('.'));
    const [first] = targets;
    if (!first) return [];
    const declared = declaredOf(graph, info, first);
    const { class_type: classType, inputs, _meta: meta } = graph[first.node]!;
    const choices = optionsOf(info, classType, first.field, inputs);
    const inner = meta?.title ?? classType;
    const file = declared ? fileTypeOf(declared.type, declared.extra) : loadedType(classType, first.field);
    const value = inputs[first.field];
    const spec = file
      ? fileSpec(file, value)
      : specOf(first.field, value, declared, choices, `${title} ${inner}`);
    if (!spec) return [];
    const isChosen = node !== first.node || name !== first.field;
    const isNamed = isChosen && !isDefaultName(title, first.field);
    const isTitled = inner !== classType && inner !== info[classType]?.display_name;
    const called = isNamed ? title : isTitled && namesField(first.field, spec) ? inner : undefined;
    const isValue = first.field === 'value';
    return [
      {
        to: targets.map((one) => `${one.node}.${one.field}`),
        field: first.field,
        node: isNamed ? title : inner,
        title:
          (isNamed || isValue ? called : undefined) ??
          inWords((isValue ? fedName(uses, first.node) : undefined) ?? first.field),
        ...(called !== undefined && { called }),
        isChosen,
        classType,
        spec,
        ...(spec.type === 'choice' && choices && { choices }),
        isModel: isModelFile(inputs[first.field]),
        multiline: declared?.extra['multiline'] === true,
      },
    ];
  });
}

function fieldsOf(graph: Graph): Field[] {
  return Object.entries(graph).flatMap(([node, { class_type: classType, inputs, _meta: meta }]) =>
    Object.keys(inputs).map((name) => ({
      node,
      name,
      title: meta?.title ?? classType,
      to: [{ node, field: name }],
    })),
  );
}

/** As ComfyUI names what is put on a subgraph, or a primitive, until a person calls it something. */
function isDefaultName(title: string, field: string): boolean {
  return title === 'PrimitiveNode' || title.replace(/_\d+$/, '') === field;
}

/** Is the title of its node a name of the field too? */
function namesField(field: string, { type }: InputSpec): boolean {
  return field === 'value' || isFileType(type);
}

export function inWords(name: string): string {
  const words = name.replaceAll(/[_.]+/g, ' ').trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function declaredOf(graph: Graph, info: ObjectInfo, { node, field }: { node: string; field: string }) {
  const { class_type: classType, inputs } = graph[node]!;
  return Object.hasOwn(info, classType)
    ? declaredInputs(info[classType]!.input, inputs).get(field)
    : undefined;
}

type Declared = ReturnType<typeof declaredOf>;

/** A graph that names none does without. Undefined: it comes by a link. */
function fileSpec(type: FileType, value: unknown): InputSpec | undefined {
  if (typeof value !== 'string') return undefined;
  return { type, ...(['', 'none'].includes(value) ? { default: '' } : { required: true }) };
}

/** Undefined: callers cannot set it, as it is a link, a list or an object. */
function specOf(
  field: string,
  value: unknown,
  declared: Declared,
  choices: Option[] | undefined,
  title: string,
): InputSpec | undefined {
  if (linkOf(value)) return undefined;
  const { type, extra = {} } = declared ?? {};
  if (choices || type === DYNAMIC_COMBO)
    return isScalar(value) ? { type: 'choice', default: value } : undefined;
  if (typeof value === 'boolean') return { type: 'boolean', default: value };
  if (typeof value === 'string')
    return type === 'INT' || type === 'FLOAT' || value.length > MAX_TEXT
      ? undefined
      : { type: 'string', default: value };
  if (typeof value !== 'number' && typeof value !== 'bigint') return undefined;
  const whole =
    type === 'INT' || (type === undefined && (typeof value === 'bigint' || Number.isInteger(value)));
  const isSeed =
    whole &&
    (['seed', 'noise_seed'].includes(field) ||
      (Boolean(extra['control_after_generate']) && /seed/i.test(title)));
  if (
    whole &&
    (value < MIN_INTEGER || value > MAX_INTEGER || !(typeof value === 'bigint' || Number.isInteger(value)))
  )
    return undefined;
  return numeric(isSeed ? 'seed' : whole ? 'integer' : 'number', value, extra);
}

function isScalar(value: unknown): value is Option {
  return ['string', 'number', 'boolean'].includes(typeof value);
}

/** A bound that the value itself breaks is left out: ComfyUI would refuse the file as it is. */
function numeric(
  type: 'seed' | 'integer' | 'number',
  value: number | bigint,
  extra: Record<string, unknown>,
): InputSpec {
  const { min, max, step } = extra;
  const spec: InputSpec = { type };
  if (isNumber(min) && min <= value) spec.minimum = min;
  if (isNumber(max) && max >= value) spec.maximum = max;
  if (
    type === 'integer' &&
    typeof step === 'number' &&
    Number.isInteger(step) &&
    step > 1 &&
    typeof value === 'number'
  )
    if (value % step === 0 && Number(spec.minimum ?? 0) % step === 0) spec.multiple_of = step;
  // A seed is drawn where a caller gives none.
  if (type === 'seed') return { type, ...pick(spec, boundsOf({ type: 'seed' })) };
  return { ...spec, default: value };
}

function isNumber(value: unknown): value is number | bigint {
  return typeof value === 'bigint' || (typeof value === 'number' && Number.isFinite(value));
}

/** Only where it is narrower than what a seed may be anyway. */
function pick(spec: InputSpec, widest: ReturnType<typeof boundsOf>): Partial<InputSpec> {
  return {
    ...(spec.minimum !== undefined && spec.minimum > widest.minimum! && { minimum: spec.minimum }),
    // ComfyUI's page knows seeds of 64 bits as numbers of 53.
    ...(spec.maximum !== undefined && Number(spec.maximum) < 2 ** 53 && { maximum: spec.maximum }),
  };
}
