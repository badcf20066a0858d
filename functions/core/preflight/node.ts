// The check of one node's inputs, and by them of the nodes that they link to. Source: validate_inputs in execution.py of
// 0.33.0. It is lenient where a custom node may have a check of its own, but for model files that its list does not have.

import { type Declared, declarationOf } from '../declared-inputs.ts';
import { isMissingModel } from '../object-info.ts';
import { PythonError, type Reason } from './answer.ts';
import { fileOf } from './files.ts';
import * as inputs from './inputs.ts';
import { takes } from './link-types.ts';
import { isCustom, type OwnCheck, ownCheckOf, runOwnCheck } from './own-checks.ts';
import { repr, str, typeName } from './python.ts';
import type { Walk } from './walk.ts';

export interface NodeCheck {
  reasons: Reason[];
  hasBrokenSource: boolean;
}

type Values = Record<string, unknown>;

/** @throws PythonError */
export function checkNode(walk: Walk, id: string): NodeCheck {
  const node = walk.graph[id]!;
  const { class_type: classType } = node;
  if (!Object.hasOwn(node, 'inputs')) throw new PythonError('KeyError', "'inputs'", 'has no "inputs"');
  const given: Values = { ...node.inputs };
  const declaration = declarationOf(walk.info[classType]!.input, given);
  const own = ownCheckOf(classType, walk.info);
  const check: NodeCheck = { reasons: [], hasBrokenSource: false };
  for (const [name, declared] of declaration.inputs) {
    if (declared.unchosen) continue;
    if (!Object.hasOwn(given, name)) {
      if (declared.required)
        check.reasons.push(inputs.missingInput(name, declaration.isDynamic ? name.split('.').at(-1)! : name));
      continue;
    }
    const value = given[name];
    if (Array.isArray(value)) {
      const reason = checkLink(walk, id, name, declared, value, own, check);
      if (reason) check.reasons.push(reason);
      continue;
    }
    const found = inputs.checkValue(name, declared, value, isBound(walk, classType, name, own, given));
    if ('type' in found) {
      check.reasons.push(found);
      continue;
    }
    given[name] = found.value;
    if (own?.needs !== name && leavesFolders(declared, value))
      check.reasons.push(inputs.failedCheck(name, `Invalid file path: ${str(value)}`));
  }
  if (own) check.reasons.push(...ownReasons(walk, classType, own, given, declaration.inputs));
  return check;
}

/** ComfyUI's order: the node must be there, then its output, then the types, then that node itself. */
function checkLink(
  walk: Walk,
  id: string,
  name: string,
  declared: Declared,
  link: unknown[],
  own: OwnCheck | undefined,
  check: NodeCheck,
): Reason | undefined {
  if (link.length !== 2) return inputs.badLink(name, declared, link);
  const source = sourceOf(walk, name, link[0]);
  const received = outputOf(walk, name, source, link[1]);
  if (received !== ANY_TYPE && own?.links !== true && !takes(declared.type, received))
    return inputs.wrongType(name, declared, received, link);
  walk.sources.set(id, (walk.sources.get(id) ?? new Set()).add(source));
  walk.path.push(id);
  try {
    if (!walk.visit(source).valid) check.hasBrokenSource = true;
  } catch (error) {
    if (!(error instanceof PythonError)) throw error;
    check.hasBrokenSource = true;
    const reason = inputs.innerException(name, declared, link, error);
    walk.verdicts.set(source, { valid: false, reasons: [reason], height: 0 });
  } finally {
    walk.path.pop();
  }
  return undefined;
}

/** @throws PythonError */
function sourceOf({ graph }: Walk, name: string, id: unknown): string {
  if (typeof id === 'string' && Object.hasOwn(graph, id)) return id;
  if (typeof id === 'object' && id !== null)
    throw new PythonError('TypeError', `unhashable type: '${typeName(id)}'`, `"${name}" links to no node`);
  const hint =
    typeof id === 'string' ? 'which is not there' : 'and the id of a node is a text: write it in quotes';
  throw new PythonError('KeyError', repr(id), `"${name}" links to node ${repr(id)}, ${hint}`);
}

const ANY_TYPE = Symbol('any type');

/** The type of an output, which Python also counts from the end. @throws PythonError */
function outputOf({ graph, info }: Walk, name: string, source: string, index: unknown): unknown {
  const { class_type: classType } = graph[source]!;
  const types: unknown = info[classType]!.output;
  const list: unknown[] = Array.isArray(types) ? types : [];
  const place = typeof index === 'boolean' ? Number(index) : index;
  const isPlace = typeof place === 'number' && Number.isInteger(place);
  if (isPlace && place < list.length && place >= -list.length) return list.at(place);
  // Some custom nodes have as many outputs as are asked for.
  if (isPlace && isCustom(classType, info)) return ANY_TYPE;
  const hint = `"${name}" links to output ${str(index)} of node "${source}" (${classType}), which has ${list.length}`;
  // Nodes of ComfyUI's newer kind keep their types in a list.
  const kind = Object.hasOwn(info[classType]!, 'output_matchtypes') ? 'list' : 'tuple';
  throw isPlace
    ? new PythonError('IndexError', `${kind} index out of range`, hint)
    : new PythonError(
        'TypeError',
        `${kind} indices must be integers or slices, not ${typeName(place)}`,
        hint,
      );
}

/** What ComfyUI's own check says of each input that it sees. @throws PythonError */
function ownReasons(
  { hasFile }: Walk,
  classType: string,
  own: OwnCheck,
  given: Values,
  declared: ReadonlyMap<string, Declared>,
): Reason[] {
  const seen = Object.entries(given).filter(
    ([name]) => declared.has(name) && (own.inputs === 'all' || own.inputs.includes(name)),
  );
  const values = seen.map(([name, value]): [string, unknown] => [name, isLink(value) ? null : value]);
  const what = runOwnCheck(classType, own, Object.fromEntries(values), hasFile);
  return what === undefined ? [] : seen.map(([name]) => inputs.failedCheck(name, what));
}

function isLink(value: unknown): boolean {
  return (
    Array.isArray(value) &&
    value.length === 2 &&
    typeof value[0] === 'string' &&
    ['number', 'boolean'].includes(typeof value[1])
  );
}

/**
 * Do ComfyUI's ranges and lists hold for this value? A custom node's own check may accept others, but no model file that is
 * not there.
 */
function isBound(
  { info, mayHaveMore }: Walk,
  classType: string,
  name: string,
  own: OwnCheck | undefined,
  given: Values,
): boolean {
  const isMissing = isMissingModel(info, classType, name, given[name], given);
  if (isMissing && mayHaveMore) return false;
  const isOwn = own !== undefined && (own.inputs === 'all' || own.inputs.includes(name));
  return !isOwn || (isMissing && isCustom(classType, info));
}

const UPLOADS = ['image_upload', 'audio_upload', 'video_upload', 'file_upload', 'upload'];

/** Does it name a file outside of ComfyUI's folders? Of other texts only the node knows whether they name files. */
function leavesFolders({ type, extra }: Declared, value: unknown): boolean {
  const isFile = UPLOADS.some((flag) => Boolean(extra[flag]));
  const texts =
    isFile && typeof value === 'string'
      ? [value]
      : type === 'LOAD_3D' && typeof value === 'object' && value !== null
        ? Object.values(value)
        : [];
  return texts.some((text) => typeof text === 'string' && fileOf(text) === undefined);
}
