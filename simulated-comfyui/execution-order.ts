// Chooses the node that runs next: ComfyUI dissolves the graph from its outputs, with preferences.
// Runs and caches nothing; whether a node is cached is read once, when its links are added.
import type { Catalogue } from './catalogue.ts';
import { type Graph, isLink } from './graph.ts';

export class ExecutionOrder {
  /** In the order of discovery, which decides between equal candidates. */
  readonly #pending = new Set<string>();
  readonly #blockedBy = new Map<string, number>();
  readonly #blocking = new Map<string, Set<string>>();
  readonly #graph: Graph;
  readonly #catalogue: Catalogue;
  readonly #isCached: (id: string) => boolean;

  constructor(graph: Graph, outputs: string[], catalogue: Catalogue, isCached: (id: string) => boolean) {
    this.#graph = graph;
    this.#catalogue = catalogue;
    this.#isCached = isCached;
    for (const output of outputs) this.#add(output);
  }

  #add(output: string): void {
    const found = [output];
    const links: [from: string, to: string][] = [];
    for (let id = found.pop(); id !== undefined; id = found.pop()) {
      if (this.#pending.has(id)) continue;
      this.#pending.add(id);
      this.#blockedBy.set(id, 0);
      this.#blocking.set(id, new Set());
      for (const value of Object.values(this.#graph[id]!.inputs)) {
        if (!isLink(value)) continue;
        if (!this.#isCached(value[0])) found.push(value[0]);
        links.push([value[0], id]);
      }
    }
    for (const [from, to] of links) this.#block(from, to);
  }

  #block(from: string, to: string): void {
    const blocked = this.#blocking.get(from);
    if (blocked === undefined || this.#isCached(from) || blocked.has(to)) return;
    blocked.add(to);
    this.#blockedBy.set(to, this.#blockedBy.get(to)! + 1);
  }

  get empty(): boolean {
    return this.#pending.size === 0;
  }

  /** Always returns a node: validation refuses cycles. */
  next(): string {
    const ready = [...this.#pending].filter((id) => this.#blockedBy.get(id) === 0);
    const blocks = (id: string) => [...(this.#blocking.get(id) ?? [])];
    const isOutput = (id: string) => this.#catalogue.isOutput(this.#graph[id]!.class_type);
    return (
      ready.find(isOutput) ??
      // A direct input of an output node: VAEDecode before a preview.
      ready.find((id) => blocks(id).some(isOutput)) ??
      // An input one link further: VAELoader, VAEDecode, preview.
      ready.find((id) => blocks(id).some((next) => blocks(next).some(isOutput))) ??
      ready[0]!
    );
  }

  done(id: string): void {
    this.#pending.delete(id);
    for (const blocked of this.#blocking.get(id) ?? [])
      this.#blockedBy.set(blocked, this.#blockedBy.get(blocked)! - 1);
    this.#blocking.delete(id);
  }
}
