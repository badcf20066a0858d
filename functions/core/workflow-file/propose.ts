// The inputs file that is proposed for a graph: what callers of most workflows want to set, under names that are used
// elsewhere too. A person changes it; nothing here decides what a workflow can do.

import { inAscii } from '../ascii.ts';
import { type InputSpec, parseTarget, RESERVED } from '../inputs-file.ts';
import { isFileType } from '../file-types.ts';
import { type Graph, linkOf } from '../object-info.ts';
import { type Candidate, inWords } from './candidates.ts';
import { type Uses, usesOf } from './uses.ts';

export type ProposedInput = InputSpec & Required<Pick<InputSpec, 'title' | 'to'>>;

/** What of an inputs file is proposed. */
export interface ProposedFile {
  title: string;
  inputs: Record<string, ProposedInput>;
}

export interface Named extends Candidate {
  /** The name under which it would be, or is, an input. */
  name: string;
  /** Is it in the proposed file? */
  proposed: boolean;
}

/** @param form what the file's app shows, in its order: then only these are proposed, and seeds */
export function named(graph: Graph, candidates: readonly Candidate[], form: readonly Candidate[]): Named[] {
  const uses = usesOf(graph);
  const roles = new Map(candidates.map((one) => [one, roleOf(graph, uses, one)]));
  const place = (one: Candidate) => {
    const ours = form.indexOf(one);
    if (ours >= 0) return ours;
    const role = ROLES.indexOf(roles.get(one) ?? '');
    return form.length + (role < 0 ? ROLES.length : role);
  };
  const ordered = [...candidates].sort((a, b) => place(a) - place(b));
  const merged = mergedSizes(ordered, roles);
  const taken = new Set<string>();
  const isProposed = (one: Candidate) =>
    form.length > 0
      ? form.includes(one) || roles.get(one) === 'seed'
      : roles.get(one) !== undefined || (one.isChosen && !one.isModel && one.spec.type !== 'choice');
  const inUse = merged.filter(isProposed);
  // Those of the file choose their names first.
  return [...inUse, ...merged.filter((one) => !isProposed(one))].map((one) => {
    const role = roles.get(one);
    const ofRole = role === undefined ? [] : inUse.filter((other) => roles.get(other) === role);
    const title = titleOf(one, role, ofRole, taken, form.includes(one));
    const name = freeName(wordOf(title), taken);
    taken.add(name);
    return {
      ...one,
      name,
      title: clearTitle(title, name, one.node),
      proposed: isProposed(one),
      spec: narrowed(one.spec, role ?? one.field),
    };
  });
}

/** Of several with the same role a person's own words tell them apart; the first text stays the prompt. */
function titleOf(
  one: Candidate,
  role: string | undefined,
  ofRole: readonly Candidate[],
  taken: ReadonlySet<string>,
  isOfForm: boolean,
): string {
  if (role === undefined || (one.isChosen && isOfForm)) return one.title;
  const isFile = isFileType(one.spec.type);
  if (role === 'file') return one.called ?? one.title;
  if (isFile ? ofRole.length > 1 : taken.has(role)) {
    const own = ownTitle(one, role);
    if (own !== undefined) return own;
  }
  return inWords(role);
}

/** Undefined: it says no more than the role. */
function ownTitle({ called, field, spec }: Candidate, role: string): string | undefined {
  const isFile = isFileType(spec.type);
  const word = isFile ? called?.replace(/^load[\s_]+/i, '') : called;
  if (word !== undefined) return [role, 'input', 'negative'].includes(wordOf(word)) ? undefined : word;
  return spec.type === 'string' && !/^(text|prompt|string|value)$/.test(field) ? inWords(field) : undefined;
}

/** Of a name that was taken: with its node, or else its number. */
function clearTitle(title: string, name: string, node: string): string {
  if (wordOf(title) === name) return title;
  const number = /_(\d+)$/.exec(name)?.[1];
  if (wordOf(title) !== wordOf(node)) return `${title} (${node})`;
  return number === undefined ? title : `${title} ${number}`;
}

export function proposedFile(title: string, all: readonly Named[]): ProposedFile {
  const inputs = all.filter(({ proposed }) => proposed).map((one) => [one.name, specFor(one)] as const);
  return { title, inputs: Object.fromEntries(inputs) };
}

export function specFor({ spec, title, to }: Named): ProposedInput {
  const [only] = to;
  return { title, ...spec, to: to.length === 1 ? only! : to };
}

/** In the order in which a person fills them in. */
const ROLES = [
  'prompt',
  'negative_prompt',
  'image',
  'mask',
  'video',
  'audio',
  'file',
  'width',
  'height',
  'length',
  'steps',
  'cfg',
  'guidance',
  'seed',
];

const TEXTS = /^(text|prompt|string|text_[gl]|clip_l|t5xxl|tags|lyrics|caption)$/;

function roleOf(graph: Graph, uses: Uses, candidate: Candidate): string | undefined {
  const { spec, to, multiline, classType, title, node: nodeTitle } = candidate;
  const { node } = parseTarget(to[0]!);
  const isPrimitive = candidate.field === 'value';
  const field = isPrimitive ? wordOf(title) : candidate.field;
  if (spec.type === 'seed') return 'seed';
  if (spec.type === 'image') return /mask/i.test(`${classType} ${title}`) ? 'mask' : 'image';
  if (isFileType(spec.type)) return spec.type;
  if (spec.type === 'string') {
    const isText = multiline && (isPrimitive || TEXTS.test(field));
    if (!isText) return undefined;
    return isNegative(uses, node) ||
      (/negative/i.test(`${nodeTitle} ${title}`) && !/positive/i.test(nodeTitle))
      ? 'negative_prompt'
      : 'prompt';
  }
  const isNumber = spec.type === 'integer' || spec.type === 'number';
  if (!isNumber) return undefined;
  if (isPrimitive)
    return ['width', 'height', 'length', 'steps', 'cfg', 'guidance'].includes(field) ? field : undefined;
  if (['width', 'height', 'length'].includes(field)) return isSize(graph, node, field) ? field : undefined;
  return ['steps', 'cfg', 'guidance'].includes(field) ? field : undefined;
}

/** Does what it sets come only to inputs that are called negative? */
function isNegative(uses: Uses, from: string): boolean {
  const ends = new Set<string>();
  const seen = new Set([from]);
  // A set's iteration goes on over what is added to it.
  for (const id of seen)
    for (const { node, field } of uses.get(id) ?? [])
      if (/^(positive|negative)$/.test(field)) ends.add(field);
      else seen.add(node);
  return ends.has('negative') && !ends.has('positive');
}

/** Of the picture: a node that makes an empty latent or image, or resizes nothing that is there. */
function isSize(graph: Graph, node: string, field: string): boolean {
  const { class_type: classType, inputs } = graph[node]!;
  if (field === 'length') return /Latent|Video/.test(classType);
  const isPair =
    !linkOf(inputs['width']) && !linkOf(inputs['height']) && 'width' in inputs && 'height' in inputs;
  return isPair && !/Crop|Pad|Scale|Resize|Composite/.test(classType);
}

/** Nodes that have the same width and height get them from the same inputs. */
function mergedSizes(
  candidates: readonly Candidate[],
  roles: Map<Candidate, string | undefined>,
): Candidate[] {
  const result: Candidate[] = [];
  const first = new Map<string, Candidate>();
  for (const one of candidates) {
    const role = roles.get(one);
    const key = role === 'width' || role === 'height' ? `${role} ${String(one.spec.default)}` : undefined;
    const other = key === undefined ? undefined : first.get(key);
    if (other) {
      other.to.push(...one.to);
      if (one.spec.multiple_of !== undefined && Number(other.spec.default) % one.spec.multiple_of === 0)
        other.spec.multiple_of = Math.max(one.spec.multiple_of, other.spec.multiple_of ?? 1);
      continue;
    }
    if (key !== undefined) first.set(key, one);
    result.push(one);
  }
  return result;
}

/** ComfyUI's own bounds let a caller fill a GPU's memory; the default stays within. */
const NARROWER: Record<string, (value: number) => { minimum?: number; maximum: number }> = {
  width: (value) => ({ minimum: 64, maximum: Math.max(2048, 2 * value) }),
  height: (value) => ({ minimum: 64, maximum: Math.max(2048, 2 * value) }),
  length: (value) => ({ maximum: 2 * value }),
  steps: (value) => ({ minimum: 1, maximum: Math.max(50, 2 * value) }),
  cfg: (value) => ({ maximum: Math.max(30, value) }),
  guidance: (value) => ({ maximum: Math.max(30, value) }),
  batch_size: (value) => ({ minimum: 1, maximum: Math.max(4, value) }),
};

function narrowed(spec: InputSpec, field: string): InputSpec {
  const value = spec.default;
  const narrow = Object.hasOwn(NARROWER, field) ? NARROWER[field] : undefined;
  if (!narrow || typeof value !== 'number') return spec;
  const { minimum, maximum } = narrow(value);
  const result = { ...spec };
  if (minimum !== undefined && minimum <= value && !(Number(spec.minimum) > minimum))
    result.minimum = minimum;
  if (!(Number(spec.maximum) < maximum)) result.maximum = maximum;
  const { multiple_of: step } = result;
  if (step !== undefined && Number(result.minimum ?? 0) % step !== 0) result.minimum = step;
  return result;
}

/** `Negative Prompt (long)` → `negative_prompt_long`. */
export function wordOf(title: string): string {
  const word = inAscii(title)
    .replace(/^[_\d]+/, '')
    .slice(0, 40)
    .replace(/_+$/, '');
  return word === '' ? 'input' : word;
}

function freeName(word: string, taken: ReadonlySet<string>): string {
  const free = (name: string) => !taken.has(name) && !RESERVED.includes(name);
  if (free(word)) return word;
  if (RESERVED.includes(word)) return freeName(`${word}_value`, taken);
  for (let number = 2; ; number += 1) if (free(`${word}_${number}`)) return `${word}_${number}`;
}
