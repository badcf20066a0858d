// The files that a graph names, which a host stages before it posts the graph. The graph itself is kept as it was sent. Whose they
// are and where they lie is each API's own business.

import { type FileInput, filesOfHosts } from '../../core/file-inputs.ts';
import { isStagedName } from '../../core/names.ts';
import type { Graph, ObjectInfo } from '../../core/object-info.ts';
import { withLists } from '../../core/option-lists.ts';
import type { HasFile } from '../../core/preflight/preflight.ts';
import type { Staging } from '../../core/render.ts';
import type { KnownHost } from '../caches/fleet.ts';

/** Different ones; each costs a read. */
export const MAX_FILES = 200;

export interface GraphFiles {
  staging: Staging[];
  hasFile: HasFile;
  /** With the graph's own files in their lists, which only uploads to them would show. */
  hosts: KnownHost[];
}

export interface FilesOf {
  graph: Graph;
  /** What its nodes name. */
  inputs: readonly FileInput[];
  hosts: readonly KnownHost[];
  /** In the bucket. Undefined: the caller has no such file. */
  keyOf(file: FileInput): Promise<string | undefined>;
  /** There are so many. */
  tooMany(count: number): Error;
}

/** @throws what `tooMany` says */
export async function graphFiles({ graph, inputs, hosts, keyOf, tooMany }: FilesOf): Promise<GraphFiles> {
  const names = new Map(inputs.map((input) => [nameOf(input), input]));
  if (names.size > MAX_FILES) throw tooMany(names.size);
  const found = new Map<string, string>();
  await Promise.all(
    [...names].map(async ([name, input]) => {
      const key = await keyOf(input);
      if (key !== undefined) found.set(name, key);
    }),
  );
  const staged = inputs.filter((input) => found.has(nameOf(input)));
  const onHosts = filesOfHosts(infosOf(hosts));
  return {
    staging: stagingOf(staged, found),
    hasFile: (folder, path) =>
      found.has(nameOf({ folder, path })) || (folder === 'input' && onHosts.has(path) && !isStagedName(path)),
    hosts: withFiles(hosts, graph, staged),
  };
}

export function infosOf(hosts: readonly KnownHost[]): ObjectInfo[] {
  return [...new Set(hosts.map(({ nodes }) => nodes))];
}

const nameOf = ({ folder, path }: Pick<FileInput, 'folder' | 'path'>) => `${folder} ${path}`;

/** Each file once. A target is written "node.field". */
function stagingOf(staged: readonly FileInput[], found: ReadonlyMap<string, string>): Staging[] {
  const targets = new Map<string, string[]>();
  for (const input of staged) {
    const key = found.get(nameOf(input))!;
    targets.set(key, [...(targets.get(key) ?? []), `${input.node}.${input.field}`]);
  }
  return [...targets].map(([key, to]) => ({ key, to }));
}

function withFiles(hosts: readonly KnownHost[], graph: Graph, staged: readonly FileInput[]): KnownHost[] {
  if (staged.length === 0) return [...hosts];
  const changed = new Map<ObjectInfo, ObjectInfo>();
  return hosts.map(({ hostId, nodes }) => {
    const before = changed.get(nodes);
    if (before) return { hostId, nodes: before };
    const after = { ...nodes };
    for (const { node, field: named } of staged) {
      const { class_type: classType, inputs } = graph[node]!;
      const info = after[classType];
      if (!info) continue;
      after[classType] = withLists(info, (list, field) =>
        field !== named || list.includes(inputs[field]) ? list : [...list, inputs[field]],
      );
    }
    changed.set(nodes, after);
    return { hostId, nodes: after };
  });
}
