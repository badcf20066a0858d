// Lambda's event filter, as far as ours goes: a pattern is a tree of the record's fields, whose leaves list the values
// that match. Source: "Control which events Lambda sends to your function" in AWS Lambda's developer guide.

export function matches(pattern: unknown, value: unknown): boolean {
  if (Array.isArray(pattern)) {
    return pattern.some((one) => (typeof one === 'object' ? follows(one as object, value) : one === value));
  }
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(pattern as object).every(([field, inner]) =>
    matches(inner, (value as Record<string, unknown>)[field]),
  );
}

function follows(rule: object, value: unknown): boolean {
  const { prefix, ...unknown } = rule as { prefix?: unknown };
  if (typeof prefix !== 'string' || Object.keys(unknown).length > 0)
    throw new Error(`This rule is not known here: ${JSON.stringify(rule)}`);
  return typeof value === 'string' && value.startsWith(prefix);
}
