// The lists of a node class, as `GET /object_info` declares them, with other values in them. The keys of a dynamic combo are no
// such list: each brings inputs along.

import type { ObjectInfo } from './object-info.ts';
import { isRecord, recordOf } from './json-value.ts';

type NodeInfo = ObjectInfo[string];
type Fields = Record<string, unknown>;
/** @param extra what is declared beside the list */
type Change = (list: readonly unknown[], field: string, extra: Fields) => readonly unknown[];

/** The same class where `change` gives the same list for each. */
export function withLists(node: NodeInfo, change: Change): NodeInfo {
  let isChanged = false;
  const sections = Object.entries(node.input ?? {}).map(([section, fields]) => [
    section,
    isRecord(fields)
      ? Object.fromEntries(
          Object.entries(fields).map(([field, declared]) => {
            const list = listOf(declared);
            const changed = list && change(list.values, field, list.extra);
            if (!changed || changed === list.values) return [field, declared];
            isChanged = true;
            return [field, list.with(changed)];
          }),
        )
      : fields,
  ]);
  return isChanged ? { ...node, input: Object.fromEntries(sections) as NodeInfo['input'] & object } : node;
}

/** The first class with what either has in its lists. */
export function withOptionsOf(node: NodeInfo, other: NodeInfo): NodeInfo {
  const { required, optional } = other.input ?? {};
  const fields: Fields = { ...optional, ...required };
  return withLists(node, (list, field) => {
    const more = (listOf(fields[field])?.values ?? []).filter((one) => !list.includes(one));
    return more.length > 0 ? [...list, ...more] : list;
  });
}

interface List {
  values: readonly unknown[];
  extra: Fields;
  /** Declared with these values instead. */
  with(values: readonly unknown[]): unknown;
}

/** `[["a", "b"], {…}]`, or `["COMBO", {"options": ["a", "b"], …}]`. */
function listOf(declared: unknown): List | undefined {
  if (!Array.isArray(declared)) return undefined;
  const [type, more, ...rest] = declared as unknown[];
  const extra = recordOf(more);
  if (Array.isArray(type))
    return { values: type, extra, with: (values) => [values, ...(declared as unknown[]).slice(1)] };
  const { options } = extra;
  if (type !== 'COMBO' || !Array.isArray(options)) return undefined;
  return { values: options, extra, with: (values) => [type, { ...extra, options: values }, ...rest] };
}
