// Owns the comparison of what was recorded with what the simulation says: equal, but for what a clock or a
// machine decides. Refuses to ignore anything that is not named here.

type Rule = (recorded: unknown, replayed: unknown, path: string) => string[];

const kind = (value: unknown) => (value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value);

/** Another value, but of the same type, and an array of the same types. */
const sameType: Rule = (recorded, replayed, path) => {
  if (kind(recorded) !== kind(replayed)) return [`${path}: ${kind(recorded)} became ${kind(replayed)}`];
  if (!Array.isArray(recorded)) return [];
  const types = new Set(recorded.map(kind));
  return (replayed as unknown[]).length > 0 && (replayed as unknown[]).every((item) => types.has(kind(item)))
    ? []
    : [`${path}: other items`];
};

/** Recorded from a Python set: the same items in any order. */
const anyOrder: Rule = (recorded, replayed, path) => {
  const items = (value: unknown) =>
    JSON.stringify(
      (value as unknown[]).map((item) => JSON.stringify(item)).sort((a, b) => a.localeCompare(b)),
    );
  if (!Array.isArray(replayed)) return sameType(recorded, replayed, path);
  return items(recorded) === items(replayed) ? [] : [`${path}: other items`];
};

/** By the last key of the path. */
const rules: Record<string, Rule> = {
  timestamp: sameType,
  create_time: sameType,
  execution_start_time: sameType,
  execution_end_time: sameType,
  traceback: sameType,
  executed: anyOrder,
  current_outputs: anyOrder,
};

/** Everything that is not as recorded; empty when all is well. */
export function differences(recorded: unknown, replayed: unknown, path = ''): string[] {
  const rule = rules[path.slice(path.lastIndexOf('.') + 1)];
  // The value of executed in an event is a list; "executed" is also the name of an event.
  if (rule !== undefined && kind(recorded) !== 'object') return rule(recorded, replayed, path);
  if (kind(recorded) !== kind(replayed)) return [`${path}: ${kind(recorded)} became ${kind(replayed)}`];
  if (Array.isArray(recorded) && Array.isArray(replayed)) {
    const lengths =
      recorded.length === replayed.length
        ? []
        : [`${path}: ${recorded.length} items became ${replayed.length}`];
    return [
      ...lengths,
      ...recorded
        .slice(0, replayed.length)
        .flatMap((item, index) => differences(item, replayed[index], `${path}[${index}]`)),
    ];
  }
  if (typeof recorded === 'object' && recorded !== null) {
    const [a, b] = [recorded, replayed] as [Record<string, unknown>, Record<string, unknown>];
    return [...new Set([...Object.keys(a), ...Object.keys(b)])].flatMap((key) => {
      if (!(key in b)) return [`${path}.${key}: gone`];
      if (!(key in a)) return [`${path}.${key}: new`];
      return differences(a[key], b[key], `${path}.${key}`);
    });
  }
  return recorded === replayed
    ? []
    : [`${path}: ${JSON.stringify(recorded)} became ${JSON.stringify(replayed)}`];
}
