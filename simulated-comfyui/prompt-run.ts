// One run of a prompt: node after node, the messages it sends, and its history entry.
// The executor decides when it runs; throws only if the run is abandoned and must leave no trace.
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import type { CacheEntry, NodeMeta, OutputCache } from './cache.ts';
import { signaturesOf } from './cache.ts';
import type { Checkpoints } from './checkpoints.ts';
import type { Dialect } from './dialect.ts';
import { ExecutionOrder } from './execution-order.ts';
import type { Faults } from './faults.ts';
import type { Folders } from './folders.ts';
import { isLink, isRecord, type QueueItem } from './graph.ts';
import { runNode } from './nodes.ts';
import { Progress } from './progress.ts';
import { Bare } from './python-json.ts';
import { PythonError } from './python-text.ts';
import type { Message, NewHistoryEntry } from './queue.ts';
import type { Audience, Sockets } from './sockets.ts';

export interface Surroundings {
  dialect: Dialect;
  sockets: Sockets;
  folders: Folders;
  faults: Faults;
  cache: OutputCache;
  checkpoints: Checkpoints;
  stepMs: number;
  previews: boolean;
}
/** Thrown into the run by an interrupt, or by a restart that forgets it. */
export class Interrupted extends Error {}
export class Abandoned extends Error {}

export class PromptRun {
  readonly promptId: string;
  readonly audience: Audience;
  /** The running node, which a client that connects now receives. */
  lastNode: string | null = null;
  readonly #item: QueueItem;
  readonly #around: Surroundings;
  readonly #progress: Progress;
  readonly #interrupted = new AbortController();
  readonly #abandoned = new AbortController();
  readonly #messages: Message[] = [];
  readonly #executed = new Set<string>();
  readonly #shown = new Map<string, NonNullable<CacheEntry['ui']>>();

  constructor(item: QueueItem, around: Surroundings) {
    this.#item = item;
    this.#around = around;
    this.promptId = item[1];
    const client = item[3]['client_id'];
    this.audience = typeof client === 'string' ? client : null;
    this.#progress = new Progress(around.sockets, this.promptId, this.audience, around.dialect.newer);
  }

  interrupt(): void {
    this.#interrupted.abort(new Interrupted());
  }
  abandon(): void {
    this.#abandoned.abort(new Abandoned());
    this.#interrupted.abort(new Abandoned());
  }

  async execute(): Promise<NewHistoryEntry> {
    const [, prompt_id, graph, , outputs] = this.#item;
    const { cache, dialect, faults, folders } = this.#around;
    const { catalogue } = dialect;
    this.#announce('execution_start', { prompt_id });
    cache.begin(await signaturesOf(graph, catalogue, (name) => folders.pathOfInput(name)));
    this.#abandoned.signal.throwIfAborted();
    const ids = Object.keys(graph);
    this.#announce('execution_cached', { nodes: ids.filter((id) => cache.get(id) !== undefined), prompt_id });
    const order = new ExecutionOrder(graph, outputs, catalogue, (id) => cache.get(id) !== undefined);
    let success = true;
    while (success && !order.empty) {
      const id = order.next();
      success = await this.#execute(id);
      order.done(id);
    }
    this.lastNode = null;
    if (success) this.#announce('execution_success', { prompt_id });
    // The end is sent before the history entry exists, and other requests may run in between.
    await nextTurn();
    await faults.mayGoOn('holdHistory', this.#abandoned.signal);
    this.#abandoned.signal.throwIfAborted();
    return {
      outputs: Object.fromEntries([...this.#shown].map(([id, ui]) => [id, ui.output])),
      status: {
        status_str: success ? 'success' : 'error',
        completed: success,
        messages: this.#messages,
      },
      meta: Object.fromEntries([...this.#shown].map(([id, ui]) => [id, ui.meta])),
    };
  }

  /** Kept for the history; sent to the submitting client, or to everyone where ComfyUI does so. */
  #announce(event: string, data: object, broadcast = false): void {
    const stamped = { ...data, timestamp: Date.now() };
    this.#messages.push([event, stamped]);
    if (this.audience !== null || broadcast) this.#around.sockets.send(event, stamped, this.audience);
  }

  #tell(event: string, data: object): void {
    if (this.audience !== null) this.#around.sockets.send(event, data, this.audience);
  }

  async #execute(id: string): Promise<boolean> {
    const { cache, faults } = this.#around;
    await faults.mayGoOn('hangExecutor', this.#abandoned.signal);
    const cached = cache.get(id);
    if (cached !== undefined) {
      this.#tellExecuted(id, cached.ui?.output ?? null);
      if (cached.ui !== undefined) this.#shown.set(id, cached.ui);
      this.#progress.finish(id);
      return true;
    }
    this.#progress.start(id);
    if (this.audience !== null) this.lastNode = id;
    this.#tell('executing', { node: id, display_node: id, prompt_id: this.promptId });
    let inputs: Record<string, unknown> = {};
    try {
      this.#interrupted.signal.throwIfAborted();
      inputs = this.#inputsOf(id);
      const { outputs, ui } = await this.#call(id, inputs);
      this.#abandoned.signal.throwIfAborted();
      const meta: NodeMeta = { node_id: id, display_node: id, parent_node: null, real_node_id: id };
      const entry = ui === undefined ? { outputs } : { outputs, ui: { output: ui, meta } };
      if (entry.ui !== undefined) {
        this.#shown.set(id, entry.ui);
        this.#tellExecuted(id, entry.ui.output);
        faults.executed();
        this.#abandoned.signal.throwIfAborted();
      }
      cache.set(id, entry);
    } catch (error) {
      if (error instanceof Abandoned) throw error;
      return this.#fail(id, error, inputs);
    }
    this.#progress.finish(id);
    this.#executed.add(id);
    return true;
  }

  #tellExecuted(id: string, output: object | null): void {
    this.#tell('executed', { node: id, display_node: id, output, prompt_id: this.promptId });
  }

  #inputsOf(id: string): Record<string, unknown> {
    const { cache } = this.#around;
    const entries = Object.entries(this.#item[2][id]!.inputs).map(([name, value]): [string, unknown] =>
      isLink(value) ? [name, cache.get(value[0])?.outputs.at(value[1])] : [name, value],
    );
    return Object.fromEntries(entries);
  }

  #call(id: string, inputs: Record<string, unknown>) {
    const [, , graph, extraData] = this.#item;
    const { cache, checkpoints, dialect, faults, folders, stepMs, previews } = this.#around;
    const className = graph[id]!.class_type;
    const method = extraData['preview_method'];
    const { signal } = this.#interrupted;
    const work = async (ms: number) => {
      if (ms > 0) await pause(ms, undefined, { signal }).catch(() => undefined);
      await faults.mayGoOn('hangExecutor', this.#abandoned.signal);
      signal.throwIfAborted();
    };
    return runNode({
      className,
      info: dialect.catalogue.node(className)!,
      inputs,
      signature: cache.signature(id),
      folders,
      stepMs,
      newer: dialect.newer,
      previews: typeof method === 'string' && method !== 'default' ? method !== 'none' : previews,
      graph,
      extraPngInfo: isRecord(extraData['extra_pnginfo']) ? extraData['extra_pnginfo'] : {},
      work,
      load: (checkpoint) => checkpoints.load(checkpoint, work),
      progress: (value, max, preview) => this.#progress.update(id, value, max, preview),
    });
  }

  #fail(id: string, error: unknown, inputs: Record<string, unknown>): false {
    const about = {
      prompt_id: this.promptId,
      node_id: id,
      node_type: this.#item[2][id]!.class_type,
      executed: [...this.#executed],
    };
    if (error instanceof Interrupted) {
      this.#announce('execution_interrupted', about, true);
      return false;
    }
    const { message, stack } = error instanceof Error ? error : new Error(String(error));
    const shown = Object.entries(inputs).map(([name, value]) => [
      name,
      [typeof value === 'object' && !(value instanceof Bare) ? '<simulated>' : value],
    ]);
    this.#announce('execution_error', {
      ...about,
      exception_message: `${message}\n`,
      exception_type: error instanceof PythonError ? error.pythonType : 'RuntimeError',
      traceback: (stack ?? '')
        .split('\n')
        .slice(1)
        .map((line) => `${line}\n`),
      current_inputs: Object.fromEntries(shown) as object,
      current_outputs: Object.keys(this.#item[2]),
    });
    return false;
  }
}
