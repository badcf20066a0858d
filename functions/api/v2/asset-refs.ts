// Assets in a graph: `{"__type": "core/ASSET", "info": {"id"}}` where a file's name would stand. Each becomes an input that a host stages
// before it posts the graph; the graph itself is kept as it was sent.

import type { Caller } from '../../core/access.ts';
import { FETCHED_WITHIN, MAX_INPUT_URL, MAX_INPUTS } from '../../core/limits.ts';
import { recordOf } from '../../core/json-value.ts';
import { type InputKey, keys } from '../../core/names.ts';
import type { Graph } from '../../core/object-info.ts';
import type { Staging } from '../../core/render.ts';
import { inputOfOutput, keepUpload } from '../admission/image-inputs.ts';
import { keyOfAsset, resolve } from './asset-view.ts';
import type { V2Deps } from './deps.ts';
import { V2Error } from './errors.ts';

const ASSET = 'core/ASSET';
/** What stands for an asset while its graph is checked; no host lists it. */
const PLACEHOLDER = 'asset';

interface Reference {
  node: string;
  field: string;
  /** Undefined: it names none. */
  id: string | undefined;
  /** Of a file that is fetched, which the contract does not have. */
  url?: string;
}

/** The graph with names in place of assets, for the checks of ComfyUI. */
export function withoutAssets(graph: Graph): Graph {
  return Object.fromEntries(
    Object.entries(graph).map(([id, node]) => {
      const inputs = Object.entries(node.inputs).map(([field, value]) => [
        field,
        isAsset(value) ? PLACEHOLDER : value,
      ]);
      return [id, { ...node, inputs: Object.fromEntries(inputs) as Record<string, unknown> }];
    }),
  );
}

/** @returns what a host stages, each file once @throws V2Error missing_asset */
export async function stagingOf(deps: V2Deps, caller: Caller, graph: Graph): Promise<Staging[]> {
  const { owner } = caller;
  const references = Object.entries(graph).flatMap(([node, { inputs }]) =>
    Object.entries(inputs).flatMap(([field, value]) => referencesIn(node, field, value)),
  );
  const inputOf = new Map<string, InputKey>();
  const urls = [...new Set(references.flatMap(({ url }) => url ?? []))];
  const ids = [...new Set(references.flatMap(({ id, url }) => (url === undefined ? (id ?? []) : [])))];
  if (ids.length > MAX_INPUTS)
    throw new V2Error(
      422,
      'invalid_workflow',
      `The graph reads ${ids.length} assets; a job may read ${MAX_INPUTS}`,
    );
  await Promise.all(
    ids.map(async (id) => {
      const input = await inputOfOwn(deps, owner, id);
      if (input !== undefined) inputOf.set(id, input);
    }),
  );
  const missing = references.filter(({ id, url }) => id === undefined || (!url && !inputOf.has(id)));
  if (missing[0]) throw missingAsset(missing);
  const signal = AbortSignal.timeout(FETCHED_WITHIN);
  for (const url of urls) {
    const name = await deps.urlInputs.take(caller, url, 'url', signal);
    inputOf.set(url, { key: keys.upload(owner, name) });
  }
  const staging = new Map<string, Staging>();
  for (const { node, field, id } of references) {
    const input = inputOf.get(id!)!;
    const known = staging.get(input.key) ?? { ...input, to: [] };
    staging.set(input.key, { ...known, to: [...known.to, `${node}.${field}`] });
  }
  return [...staging.values()];
}

/** A reference deeper than an input itself is as one that names none: no loader reads it. */
function referencesIn(node: string, field: string, value: unknown): Reference[] {
  // Targets are written "node.field".
  if (isAsset(value)) return [{ node, field, ...(node.includes('.') ? { id: undefined } : namedBy(value)) }];
  return holdsAsset(value) ? [{ node, field, id: undefined }] : [];
}

function isAsset(value: unknown): value is { info?: unknown } {
  return recordOf(value)['__type'] === ASSET;
}

function holdsAsset(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return isAsset(value) || Object.values(value).some(holdsAsset);
}

/** An address stands for the id of what is there. */
function namedBy(asset: { info?: unknown }): Pick<Reference, 'id' | 'url'> {
  const { url } = recordOf(asset.info);
  if (typeof url !== 'string') return { id: idOf(asset) };
  return url.length <= MAX_INPUT_URL ? { id: url, url } : { id: undefined };
}

function idOf({ info }: { info?: unknown }): string | undefined {
  const { id } = recordOf(info);
  return typeof id === 'string' && id !== '' && id.length <= 100 ? id : undefined;
}

/** Undefined: the owner has no such asset, or its bytes are gone. */
async function inputOfOwn(deps: V2Deps, owner: string, id: string): Promise<InputKey | undefined> {
  const asset = await deps.assets.read(id, deps.now());
  const found = asset?.owner === owner ? await resolve(deps, asset) : undefined;
  if (!found) return undefined;
  if ('output' in found) return inputOfOutput(found.state, found.output);
  const key = keyOfAsset(found);
  return (await keepUpload(deps, key)) ? { key } : undefined;
}

function missingAsset(missing: readonly Reference[]): V2Error {
  const { node, field, id } = missing[0]!;
  return new V2Error(
    422,
    'missing_asset',
    id === undefined
      ? `Node ${node}: "${field}" holds an asset that names no id, lies deeper than the input, or belongs to a node whose id has a dot`
      : `Node ${node}: "${field}" is the asset ${id}, which you do not have here`,
    { missing_ids: [...new Set(missing.flatMap(({ id }) => id ?? []))] },
  );
}
