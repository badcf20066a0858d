// DynamoDB's expressions. Every name is aliased: `work`, `status`, `owner` and many more are reserved words.

export type Attributes = Record<string, unknown>;

/** What one request calls its attributes and values. */
export interface Aliases {
  name(attribute: string): string;
  value(value: unknown): string;
}

export type Condition = (aliases: Aliases) => string;

export const absent =
  (attribute: string): Condition =>
  ({ name }) =>
    `attribute_not_exists(${name(attribute)})`;

export const present =
  (attribute: string): Condition =>
  ({ name }) =>
    `attribute_exists(${name(attribute)})`;

export const where =
  (attribute: string, operator: '=' | '<' | '<=' | '>' | '>=', to: unknown): Condition =>
  ({ name, value }) =>
    `${name(attribute)} ${operator} ${value(to)}`;

export const between =
  (attribute: string, from: unknown, to: unknown): Condition =>
  ({ name, value }) =>
    `${name(attribute)} BETWEEN ${value(from)} AND ${value(to)}`;

export const oneOf =
  (attribute: string, values: readonly unknown[]): Condition =>
  ({ name, value }) =>
    `${name(attribute)} IN (${values.map(value).join(', ')})`;

export const beginsWith =
  (attribute: string, prefix: string): Condition =>
  ({ name, value }) =>
    `begins_with(${name(attribute)}, ${value(prefix)})`;

export const anyOf =
  (...conditions: Condition[]): Condition =>
  (aliases) =>
    `(${conditions.map((condition) => condition(aliases)).join(' OR ')})`;

/**
 * @param write returns the expressions of a request; empty ones are left out, as DynamoDB wants it
 * @returns them with the names and values that they use
 */
export function compile<Expression extends string>(
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

export function allOf(conditions: readonly Condition[], aliases: Aliases): string {
  return conditions.map((condition) => condition(aliases)).join(' AND ');
}
