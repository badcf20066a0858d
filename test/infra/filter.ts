// Lambda's event filter, as far as ours goes: a pattern is a tree of the record's fields, whose leaves list the values
// that match. Source: "Control which events Lambda sends to your function" in AWS Lambda's developer guide.

export function matches(pattern: unknown, value: unknown): boolean {
  if (Array.isArray(pattern)) {
    const rule = pattern.find((one) => typeof one === 'object');
    if (rule !== undefined) throw new Error(`This rule is not known here: ${JSON.stringify(rule)}`);
    return pattern.includes(value);
  }
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(pattern as object).every(([field, inner]) =>
    matches(inner, (value as Record<string, unknown>)[field]),
  );
}
