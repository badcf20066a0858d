// Conditions and updates on an item in memory, as DynamoDB judges and makes them; what it refuses is refused here too, so
// that code which works on one machine works on AWS.

import { inspect, isDeepStrictEqual } from 'node:util';
import type { Attributes, Condition, Update } from '../engine.ts';

/** DynamoDB orders strings by their UTF-8 bytes; undefined: the two cannot be compared. */
function compare(left: unknown, right: unknown): number | undefined {
  if (typeof left === 'number' && typeof right === 'number') return left - right;
  if (typeof left === 'string' && typeof right === 'string')
    return left === right ? 0 : Buffer.compare(Buffer.from(left), Buffer.from(right));
  return undefined;
}

const OPERATORS = {
  '=': (order: number) => order === 0,
  '<': (order: number) => order < 0,
  '<=': (order: number) => order <= 0,
  '>': (order: number) => order > 0,
  '>=': (order: number) => order >= 0,
};

const isLike = (is: keyof typeof OPERATORS, left: unknown, right: unknown): boolean => {
  const order = compare(left, right);
  if (order === undefined) return is === '=' && left !== undefined && isDeepStrictEqual(left, right);
  return OPERATORS[is](order);
};

/** @param item undefined: there is none, and no attribute is present */
function holds(condition: Condition, item: Attributes | undefined): boolean {
  if ('anyOf' in condition) return condition.anyOf.some((one) => holds(one, item));
  const value = item?.[condition.attribute];
  switch (condition.is) {
    case 'absent':
      return value === undefined;
    case 'present':
      return value !== undefined;
    case 'between':
      return isLike('>=', value, condition.from) && isLike('<=', value, condition.until);
    case 'one of':
      return condition.values.some((one) => isLike('=', value, one));
    case 'prefixed':
      return typeof value === 'string' && value.startsWith(condition.by);
    default:
      return isLike(condition.is, value, condition.to);
  }
}

export const allHold = (when: readonly Condition[], item: Attributes | undefined): boolean =>
  when.every((condition) => holds(condition, item));

/**
 * @param item as it is stored, or the key of one that is created
 * @param keys which an update may not name
 * @returns the item after the update, without its condition
 * @throws TypeError for what DynamoDB refuses
 */
export function updated(
  item: Attributes,
  { set = {}, setOnce = {}, add = {}, remove = [] }: Update,
  keys: readonly string[],
): Attributes {
  const valued = ([, value]: [string, unknown]) => value !== undefined;
  const [sets, once] = [Object.entries(set).filter(valued), Object.entries(setOnce).filter(valued)];
  const named = [...[...sets, ...once].map(([attribute]) => attribute), ...Object.keys(add), ...remove];
  if (new Set([...keys, ...named]).size < keys.length + named.length)
    throw new TypeError(`An update names a key, or an attribute twice: ${named.join(', ')}`);
  const next = { ...item };
  for (const [attribute, value] of sets) next[attribute] = value;
  for (const [attribute, value] of once) if (item[attribute] === undefined) next[attribute] = value;
  for (const [attribute, by] of Object.entries(add)) {
    const before = item[attribute] === undefined ? 0 : item[attribute];
    if (typeof before !== 'number')
      throw new TypeError(`${attribute} is no number: nothing can be added to it`);
    next[attribute] = before + by;
  }
  for (const attribute of remove) delete next[attribute];
  return next;
}

/** DynamoDB keeps 38 digits. */
const MOST = 10n ** 38n;

/**
 * Without fields that have no value, at any depth: they are not stored.
 * @throws TypeError for a value that DynamoDB does not take
 */
export function stored(value: unknown): unknown {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (typeof value === 'bigint' && -MOST < value && value < MOST) return value;
  if (value instanceof Uint8Array) return value;
  if (Array.isArray(value)) return value.filter((one) => one !== undefined).map(stored);
  if (typeof value !== 'object' || !isPlain(value))
    throw new TypeError(`No value to store: ${inspect(value)}`);
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, one]) => (one === undefined ? [] : [[name, stored(one)]])),
  );
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
