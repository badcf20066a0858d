// One input's value or link of one node, as ComfyUI checks it. Source: validate_inputs in execution.py of 0.33.0.

import type { Declared } from '../declared-inputs.ts';
import { isRecord } from '../json-value.ts';
import { PythonError, type Reason } from './answer.ts';
import { compare, equals, float, int, repr, str, typeName } from './python.ts';

/** A list longer than this is not part of the answer. */
const LONG_LIST = 20;

export function missingInput(name: string, shown: string): Reason {
  return {
    type: 'required_input_missing',
    message: 'Required input is missing',
    details: shown,
    extra_info: { input_name: name },
  };
}

export function badLink(name: string, declared: Declared, value: unknown): Reason {
  return {
    type: 'bad_linked_input',
    message: 'Bad linked input, must be a length-2 list of [node_id, slot_index]',
    details: name,
    extra_info: { input_name: name, input_config: configOf(declared), received_value: value },
  };
}

export function wrongType(name: string, declared: Declared, received: unknown, link: unknown): Reason {
  return {
    type: 'return_type_mismatch',
    message: 'Return type mismatch between linked nodes',
    details: `${name}, received_type(${str(received)}) mismatch input_type(${str(declared.type)})`,
    extra_info: {
      input_name: name,
      input_config: configOf(declared),
      received_type: received,
      linked_node: link,
    },
  };
}

/** What the node reached by `link` would raise; ComfyUI adds a traceback of its own files. */
export function innerException(name: string, declared: Declared, link: unknown, raised: PythonError): Reason {
  return {
    type: 'exception_during_inner_validation',
    message: 'Exception when validating inner node',
    details: raised.message,
    extra_info: {
      input_name: name,
      input_config: configOf(declared),
      exception_message: raised.message,
      exception_type: raised.type,
      traceback: [],
      linked_node: link,
      ...hintOf(raised),
    },
  };
}

export function outputException(raised: PythonError): Reason {
  return {
    type: 'exception_during_validation',
    message: 'Exception when validating node',
    details: raised.message,
    extra_info: { exception_type: raised.type, traceback: [], ...hintOf(raised) },
  };
}

const hintOf = ({ hint }: PythonError) => (hint === undefined ? {} : { hint });

/** A node's own no: ComfyUI repeats it for each input that the node checks. */
export function failedCheck(name: string, what: string): Reason {
  return {
    type: 'custom_validation_failed',
    message: 'Custom validation failed for node',
    details: `${name} - ${what}`,
    extra_info: { input_name: name },
  };
}

/**
 * The value as the node gets it, or why not.
 * @throws PythonError where a text is held against a number's range
 */
export function checkValue(
  name: string,
  declared: Declared,
  given: unknown,
  isChecked: boolean,
): { value: unknown } | Reason {
  const wrapped = isRecord(given) && '__value__' in given ? given['__value__'] : given;
  let value: unknown;
  try {
    value = convert(declared.type, wrapped);
  } catch (error) {
    if (!(error instanceof PythonError)) throw error;
    return {
      type: 'invalid_input_type',
      message: `Failed to convert an input value to a ${str(declared.type)} value`,
      details: `${name}, ${str(wrapped)}, ${error.message}`,
      extra_info: {
        input_name: name,
        input_config: configOf(declared),
        received_value: wrapped,
        exception_message: error.message,
      },
    };
  }
  if (!isChecked) return { value };
  return outOfRange(name, declared, value) ?? notInList(name, declared, value) ?? { value };
}

function convert(type: unknown, value: unknown): unknown {
  if (type === 'INT') return int(value);
  if (type === 'FLOAT') return float(value);
  // Any value has a text and is true or false.
  return type === 'STRING' ? str(value) : value;
}

function outOfRange(name: string, declared: Declared, value: unknown): Reason | undefined {
  const { min, max } = declared.extra;
  const reason = (type: string, message: string): Reason => ({
    type,
    message,
    details: name,
    extra_info: { input_name: name, input_config: configOf(declared), received_value: value },
  });
  const written = (one: unknown) => numberAs(declared.type, one);
  if ('min' in declared.extra && compare(value, '<', min))
    return reason('value_smaller_than_min', `Value ${written(value)} smaller than min of ${written(min)}`);
  if ('max' in declared.extra && compare(value, '>', max))
    return reason('value_bigger_than_max', `Value ${written(value)} bigger than max of ${written(max)}`);
  return undefined;
}

/** Python writes a float's `.0`. */
function numberAs(type: unknown, value: unknown): string {
  return type === 'FLOAT' && typeName(value) === 'int' ? `${str(value)}.0` : str(value);
}

/** Its choices; undefined: any value goes. */
export function choicesOf({ type, extra }: Declared): unknown[] | undefined {
  if (Array.isArray(type)) return type;
  if (type !== 'COMBO') return undefined;
  return Array.isArray(extra['options']) ? (extra['options'] as unknown[]) : [];
}

function notInList(name: string, declared: Declared, value: unknown): Reason | undefined {
  const choices = choicesOf(declared);
  if (!choices) return undefined;
  const chosen: unknown[] = declared.extra['multiselect'] === true && Array.isArray(value) ? value : [value];
  const absent = chosen.filter((one) => !choices.some((choice) => equals(choice, one)));
  if (absent.length === 0) return undefined;
  const isLong = choices.length > LONG_LIST;
  const list = isLong ? `(list of length ${choices.length})` : repr(choices);
  return {
    type: 'value_not_in_list',
    message: 'Value not in list',
    details: `${name}: ${absent.map(repr).join(', ')} not in ${list}`,
    extra_info: {
      input_name: name,
      input_config: isLong ? null : configOf(declared),
      received_value: value,
    },
  };
}

function configOf({ type, extra }: Declared): unknown {
  return [type, extra];
}
