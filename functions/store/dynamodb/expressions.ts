// Conditions and updates as DynamoDB's expressions. Every name is aliased: `work`, `status`, `owner` and many more are
// reserved words.

import type { Attributes, Condition, Update } from '../engine.ts';

/** What one request calls its attributes and values. */
interface Aliases {
  name(attribute: string): string;
  value(value: unknown): string;
}

function textOf(condition: Condition, aliases: Aliases): string {
  if ('anyOf' in condition) return `(${condition.anyOf.map((one) => textOf(one, aliases)).join(' OR ')})`;
  const name = aliases.name(condition.attribute);
  const { value } = aliases;
  switch (condition.is) {
    case 'absent':
      return `attribute_not_exists(${name})`;
    case 'present':
      return `attribute_exists(${name})`;
    case 'between':
      return `${name} BETWEEN ${value(condition.from)} AND ${value(condition.until)}`;
    case 'one of':
      return `${name} IN (${condition.values.map(value).join(', ')})`;
    case 'prefixed':
      return `begins_with(${name}, ${value(condition.by)})`;
    default:
      return `${name} ${condition.is} ${value(condition.to)}`;
  }
}

const allOf = (conditions: readonly Condition[], aliases: Aliases): string =>
  conditions.map((condition) => textOf(condition, aliases)).join(' AND ');

/**
 * @param write returns the expressions of a request; empty ones are left out, as DynamoDB wants it
 * @returns them with the names and values that they use
 */
function compile<Expression extends string>(
  write: (aliases: Aliases) => Partial<Record<Expression, string>>,
): Partial<Record<Expression, string>> & {
  ExpressionAttributeNames?: Record<string, string>;
  ExpressionAttributeValues?: Attributes;
} {
  const names = new Map<string, string>();
  const values: Attributes = {};
  const expressions = write({
    name(attribute) {
      if (!names.has(attribute)) names.set(attribute, `#n${names.size}`);
      return names.get(attribute)!;
    },
    value(value) {
      const alias = `:v${Object.keys(values).length}`;
      values[alias] = value;
      return alias;
    },
  });
  const used = Object.entries(expressions).filter(([, text]) => text !== '');
  return {
    ...(Object.fromEntries(used) as typeof expressions),
    ...(names.size > 0 && {
      ExpressionAttributeNames: Object.fromEntries(
        [...names].map(([attribute, alias]) => [alias, attribute]),
      ),
    }),
    ...(Object.keys(values).length > 0 && { ExpressionAttributeValues: values }),
  };
}

export const keyConditionOf = (keys: readonly Condition[]) =>
  compile((aliases) => ({ KeyConditionExpression: allOf(keys, aliases) }));

export const conditionOf = (when: readonly Condition[]) =>
  compile((aliases) => ({ ConditionExpression: allOf(when, aliases) }));

export const projectionOf = (attributes: readonly string[]) =>
  compile(({ name }) => ({ ProjectionExpression: attributes.map(name).join(', ') }));

export function updateOf({ when = [], set = {}, setOnce = {}, add = {}, remove = [] }: Update) {
  return compile((aliases) => {
    const { name, value } = aliases;
    const each = (fields: Attributes, text: (name: string, value: string) => string) =>
      Object.entries(fields).flatMap(([attribute, to]) =>
        to === undefined ? [] : text(name(attribute), value(to)),
      );
    const clauses = {
      SET: [
        ...each(set, (attribute, to) => `${attribute} = ${to}`),
        ...each(setOnce, (attribute, to) => `${attribute} = if_not_exists(${attribute}, ${to})`),
      ],
      ADD: each(add, (attribute, by) => `${attribute} ${by}`),
      REMOVE: remove.map(name),
    };
    return {
      ConditionExpression: allOf(when, aliases),
      UpdateExpression: Object.entries(clauses)
        .flatMap(([clause, parts]) => (parts.length > 0 ? `${clause} ${parts.join(', ')}` : []))
        .join(' '),
    };
  });
}
