// Conditions and updates on an item in memory, as DynamoDB judges and makes them.

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
  if (order === undefined) return is === '=' && typeof left === 'boolean' && left === right;
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
 * @param item as it is stored; undefined: it is created with its key
 * @returns the item after the update, without its condition
 */
export function updated(
  item: Attributes,
  { set = {}, setOnce = {}, add = {}, remove = [] }: Update,
): Attributes {
  const next = { ...item };
  for (const [attribute, value] of Object.entries(set)) if (value !== undefined) next[attribute] = value;
  for (const [attribute, value] of Object.entries(setOnce))
    if (value !== undefined && item[attribute] === undefined) next[attribute] = value;
  for (const [attribute, by] of Object.entries(add)) next[attribute] = Number(item[attribute] ?? 0) + by;
  for (const attribute of remove) delete next[attribute];
  return next;
}

/** Without fields that have no value, at any depth: they are not stored. */
export function stored(value: unknown): unknown {
  if (value === null || typeof value !== 'object' || value instanceof Uint8Array) return value;
  if (Array.isArray(value)) return value.map(stored);
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, one]) => (one === undefined ? [] : [[name, stored(one)]])),
  );
}
