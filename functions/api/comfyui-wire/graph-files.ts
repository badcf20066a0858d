// The files that a graph names: its owner's uploads and outputs, which a host stages before it posts the graph. The graph itself is
// kept as it was sent.

import type { Caller } from '../../core/access.ts';
import { AppError } from '../../core/errors.ts';
import { type FileInput, fileInputs, filesOfHosts } from '../../core/file-inputs.ts';
import { isStagedName, isUploadName, keys } from '../../core/names.ts';
import type { Graph, ObjectInfo } from '../../core/object-info.ts';
import { withLists } from '../../core/option-lists.ts';
import type { HasFile } from '../../core/preflight/preflight.ts';
import type { Staging } from '../../core/render.ts';
import { parseTarget } from '../../core/template.ts';
import { findOutput } from '../admission/own-output.ts';
import type { KnownHost } from '../caches/fleet.ts';
import type { WireDeps } from './deps.ts';
import { refusedFor } from './errors.ts';
import { findNamed } from './named-files.ts';

/** Different ones; each costs a read. */
const MAX_FILES = 200;

export interface GraphFiles {
  staging: Staging[];
  hasFile: HasFile;
  /** With the graph's own files in their lists, which only uploads to them would show. */
  hosts: KnownHost[];
}

/** @throws PromptRefused */
export async function graphFiles(
  deps: WireDeps,
  caller: Caller,
  graph: Graph,
  hosts: readonly KnownHost[],
): Promise<GraphFiles> {
  const infos = [...new Set(hosts.map(({ nodes }) => nodes))];
  const inputs = fileInputs(graph, infos);
  const names = new Map(inputs.map((input) => [nameOf(input), input]));
  if (names.size > MAX_FILES)
    throw refusedFor('prompt_too_large', `The graph names ${names.size} files; ${MAX_FILES} are allowed`);
  const found = new Map<string, string>();
  await Promise.all(
    [...names].map(async ([name, input]) => {
      const key = await keyOfFile(deps, caller, input);
      if (key !== undefined) found.set(name, key);
    }),
  );
  const staged = inputs.filter((input) => found.has(nameOf(input)));
  const onHosts = filesOfHosts(infos);
  return {
    staging: stagingOf(staged, found),
    hasFile: (folder, path) =>
      found.has(nameOf({ folder, path })) || (folder === 'input' && onHosts.has(path) && !isStagedName(path)),
    hosts: withFiles(hosts, graph, staged),
  };
}

const nameOf = ({ folder, path }: Pick<FileInput, 'folder' | 'path'>) => `${folder} ${path}`;

/** In the bucket. Undefined: the caller has no such file. */
export async function keyOfFile(
  deps: WireDeps,
  caller: Caller,
  { folder, path }: Pick<FileInput, 'folder' | 'path'>,
): Promise<string | undefined> {
  if (folder !== 'output') {
    const named = await findNamed(deps, caller.owner, { folder, path });
    // What is put by a link has the name of its content.
    return named || !isUploadName(path) ? named?.key : deps.uploads.use(caller.owner, path, 'prompt');
  }
  try {
    const { state, output } = await findOutput(deps, caller, path);
    return keys.image(state.jobId, state.attempt, output.filename);
  } catch (error) {
    if (error instanceof AppError && error.code === 'image_not_found') return undefined;
    throw error;
  }
}

/** Each file once. A target is written "node.field". */
function stagingOf(staged: readonly FileInput[], found: ReadonlyMap<string, string>): Staging[] {
  const targets = new Map<string, string[]>();
  for (const input of staged) {
    const key = found.get(nameOf(input))!;
    targets.set(key, [...(targets.get(key) ?? []), `${input.node}.${input.field}`]);
  }
  return [...targets].map(([key, to]) => ({ key, to }));
}

/** Of what a part of the graph needs. */
export function stagingWithin(part: Graph, staging: readonly Staging[]): Staging[] {
  return staging.flatMap(({ key, to }) => {
    const left = to.filter((target) => Object.hasOwn(part, parseTarget(target).node));
    return left.length > 0 ? [{ key, to: left }] : [];
  });
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
