// Checks one input of one node: a link's type, a constant's type, range and list.
// Looks no further up the graph: validation.ts walks it.
import { type DeclaredInput, fileInputOf } from './catalogue.ts';
import type { Dialect } from './dialect.ts';
import { type Graph, type GraphNode, isRecord } from './graph.ts';
import { Bare } from './python-json.ts';
import { floatStr, keyError, PythonError, repr, str, toBool, toFloat, toInt } from './python-text.ts';

export interface Refusal {
  type: string;
  message: string;
  details: string;
  extra_info: Record<string, unknown>;
}
export type InputFileExists = (name: string) => boolean;

export const refusal = (type: string, message: string, details: string, extra_info = {}): Refusal => ({
  type,
  message,
  details,
  extra_info,
});

/** Throws PythonError where ComfyUI's own check fails; the caller reports that. */
export function judgeLink(
  graph: Graph,
  { catalogue }: Dialect,
  { name, config }: DeclaredInput,
  link: unknown[],
): Refusal | undefined {
  const about = { input_name: name, input_config: config };
  if (link.length !== 2)
    return refusal(
      'bad_linked_input',
      'Bad linked input, must be a length-2 list of [node_id, slot_index]',
      name,
      { ...about, received_value: link },
    );
  const [from, slot] = link;
  if (typeof from !== 'string' || graph[from] === undefined) throw keyError(from);
  if (typeof slot !== 'number' || !Number.isInteger(slot))
    throw new PythonError('TypeError', 'tuple indices must be integers or slices');
  const received = catalogue.node(graph[from].class_type)!.output.at(slot);
  if (received === undefined) throw new PythonError('IndexError', 'tuple index out of range');
  if (typesMeet(received, config[0])) return undefined;
  return refusal(
    'return_type_mismatch',
    'Return type mismatch between linked nodes',
    `${name}, received_type(${str(received)}) mismatch input_type(${str(config[0])})`,
    { ...about, received_type: received, linked_node: link },
  );
}

function typesMeet(received: string, wanted: string | unknown[]): boolean {
  if (received === '*' || wanted === '*') return true;
  if (typeof wanted !== 'string') return false;
  const wantedTypes = wanted.split(',').map((type) => type.trim());
  return received.split(',').some((type) => wantedTypes.includes(type.trim()));
}

/** Also converts the constant in place, as ComfyUI does: "20" for an INT becomes 20. */
export function judgeConstant(
  node: GraphNode,
  { newer }: Dialect,
  { name, config }: DeclaredInput,
  inputFileExists: InputFileExists,
): Refusal | undefined {
  const [type, options] = config;
  let value = node.inputs[name];
  if (isRecord(value) && '__value__' in value) value = value['__value__'];
  try {
    if (type === 'INT') value = toInt(value);
    if (type === 'FLOAT') value = toFloat(value);
    if (type === 'STRING') value = str(value);
    if (type === 'BOOLEAN') value = toBool(value);
  } catch (error) {
    const message = error instanceof PythonError ? error.message : String(error);
    return refusal(
      'invalid_input_type',
      `Failed to convert an input value to a ${str(type)} value`,
      `${name}, ${str(value)}, ${message}`,
      { input_name: name, input_config: config, received_value: value, exception_message: message },
    );
  }
  node.inputs[name] = value;
  const reads = fileInputOf(node.class_type);
  if (reads?.field === name) {
    if (typeof value === 'string' && inputFileExists(value)) return undefined;
    return refusal(
      'custom_validation_failed',
      'Custom validation failed for node',
      `${name} - Invalid ${reads.kind} file: ${str(value)}`,
      { input_name: name },
    );
  }
  const about = { input_name: name, input_config: config, received_value: value };
  const say = (number: unknown) =>
    type === 'FLOAT' && typeof number === 'number' ? floatStr(number) : repr(number);
  const counted = value instanceof Bare ? Number(value.word) : value;
  const counts = typeof counted === 'number' || typeof counted === 'bigint';
  if (counts && options.min !== undefined && counted < options.min)
    return refusal(
      'value_smaller_than_min',
      `Value ${say(value)} smaller than min of ${say(options.min)}`,
      name,
      about,
    );
  if (counts && options.max !== undefined && counted > options.max)
    return refusal(
      'value_bigger_than_max',
      `Value ${say(value)} bigger than max of ${say(options.max)}`,
      name,
      about,
    );
  const choices = Array.isArray(type) ? type : type === 'COMBO' ? (options.options ?? []) : undefined;
  if (choices === undefined || choices.includes(value)) return undefined;
  // Long lists (model folders) are omitted from the answer.
  const long = choices.length > 20;
  return refusal(
    'value_not_in_list',
    'Value not in list',
    `${name}: ${newer ? repr(value) : `'${str(value)}'`} not in ${long ? `(list of length ${choices.length})` : repr(choices)}`,
    long ? { ...about, input_config: null } : about,
  );
}
