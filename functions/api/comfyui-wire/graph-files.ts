// The files that a graph of ComfyUI's wire names: its owner's uploads, by the names that they were given, and outputs.

import type { Caller } from '../../core/access.ts';
import { type FileInput, fileInputs } from '../../core/file-inputs.ts';
import { isUploadName } from '../../core/names.ts';
import type { Graph } from '../../core/object-info.ts';
import type { Staging } from '../../core/render.ts';
import { parseTarget } from '../../core/template.ts';
import { type GraphFiles, graphFiles, infosOf, MAX_FILES } from '../admission/graph-files.ts';
import { keyOfOutput } from '../admission/output-key.ts';
import type { KnownHost } from '../caches/fleet.ts';
import type { WireDeps } from './deps.ts';
import { refusedFor } from './errors.ts';
import { findNamed } from './named-files.ts';

/** @throws PromptRefused */
export function wireFiles(
  deps: WireDeps,
  caller: Caller,
  graph: Graph,
  hosts: readonly KnownHost[],
): Promise<GraphFiles> {
  return graphFiles({
    graph,
    inputs: fileInputs(graph, infosOf(hosts)),
    hosts,
    keyOf: (file) => keyOfFile(deps, caller, file),
    tooMany: (count) =>
      refusedFor('prompt_too_large', `The graph names ${count} files; ${MAX_FILES} are allowed`),
  });
}

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
  return keyOfOutput(deps, caller, path);
}

/** Of what a part of the graph needs. */
export function stagingWithin(part: Graph, staging: readonly Staging[]): Staging[] {
  return staging.flatMap(({ key, to }) => {
    const left = to.filter((target) => Object.hasOwn(part, parseTarget(target).node));
    return left.length > 0 ? [{ key, to: left }] : [];
  });
}
