// Results of the last prompt's nodes by input signature, like ComfyUI's classic cache.
// Only the nodes of the newest prompt are kept, so the cache cannot grow.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { type Graph, isLink } from './graph.ts';
import { type Catalogue, fileInputOf } from './catalogue.ts';
import { wire } from './python-json.ts';
import type { Value } from './value.ts';

export interface NodeMeta {
  node_id: string;
  display_node: string;
  parent_node: null;
  real_node_id: string;
}
export interface CacheEntry {
  outputs: Value[];
  /** What the node showed, with the meta of the node that ran. */
  ui?: { output: Record<string, unknown>; meta: NodeMeta };
}
export type Signatures = ReadonlyMap<string, string>;

/** Signature per node: class, constants, and the signatures of its linked inputs. */
export async function signaturesOf(
  graph: Graph,
  catalogue: Catalogue,
  pathOfInput: (name: string) => string,
): Promise<Map<string, string>> {
  const contents = new Map<string, string>();
  for (const [id, node] of Object.entries(graph)) {
    const reads = fileInputOf(node.class_type);
    const name = reads && node.inputs?.[reads.field];
    if (typeof name === 'string') contents.set(id, await fingerprint(pathOfInput(name)));
  }
  const signatures = new Map<string, string>();
  const above = new Set<string>();
  const sign = (id: string): string => {
    const known = signatures.get(id);
    if (known !== undefined) return known;
    const node = graph[id];
    if (node === undefined || above.has(id)) return 'absent';
    above.add(id);
    const inputs = Object.entries(node.inputs ?? {})
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, value]) => (isLink(value) ? [name, 'link', sign(value[0]), value[1]] : [name, value]));
    const parts = [
      node.class_type,
      contents.get(id),
      catalogue.wantsNodeId(node.class_type) ? id : null,
      inputs,
    ];
    const signature = createHash('sha1').update(wire(parts)).digest('hex');
    above.delete(id);
    signatures.set(id, signature);
    return signature;
  };
  for (const id of Object.keys(graph)) sign(id);
  return signatures;
}

/** A file that cannot be read equals nothing, not even itself. */
async function fingerprint(path: string): Promise<string> {
  try {
    return createHash('sha1')
      .update(await readFile(path))
      .digest('hex');
  } catch {
    return String(Math.random());
  }
}

export class OutputCache {
  readonly #entries = new Map<string, CacheEntry>();
  #signatures: Signatures = new Map();

  /** Called once per prompt: results that it does not use are dropped. */
  begin(signatures: Signatures): void {
    this.#signatures = signatures;
    const used = new Set(signatures.values());
    for (const signature of this.#entries.keys()) if (!used.has(signature)) this.#entries.delete(signature);
  }

  signature(nodeId: string): string {
    return this.#signatures.get(nodeId) ?? nodeId;
  }
  get(nodeId: string): CacheEntry | undefined {
    return this.#entries.get(this.signature(nodeId));
  }
  set(nodeId: string, entry: CacheEntry): void {
    this.#entries.set(this.signature(nodeId), entry);
  }
  clear(): void {
    this.#entries.clear();
  }
}
