// How far each node of the running prompt is, and the messages about it.
// Sets no pace: nodes call it when their progress changes.
import type { Audience, Sockets } from './sockets.ts';

type State = 'running' | 'finished';

/** comfy/utils.py of 0.33.0: least ms, and least part of the whole, between two messages of one node. */
const THROTTLE = { ms: 100, part: 0.005 };

export class Progress {
  /** Each node's part of progress_state, as JSON once per change, because the message repeats all parts. */
  readonly #worded = new Map<string, string>();
  readonly #max = new Map<string, number>();
  readonly #sockets: Sockets;
  readonly #promptId: string;
  readonly #audience: Audience;
  readonly #throttled: boolean;
  readonly #now: () => number;
  /** The last reported progress of each node. */
  readonly #reported = new Map<string, { value: number; at: number }>();

  /** @param throttled as in 0.33: the first, the last and every message with a preview are always sent */
  constructor(
    sockets: Sockets,
    promptId: string,
    audience: Audience,
    throttled: boolean,
    now = () => performance.now(),
  ) {
    this.#sockets = sockets;
    this.#promptId = promptId;
    this.#audience = audience;
    this.#throttled = throttled;
    this.#now = now;
  }

  start(node: string): void {
    this.#say(node, 0, 1, 'running');
  }

  finish(node: string): void {
    const max = this.#max.get(node) ?? 1;
    this.#say(node, max, max, 'finished');
  }

  /** With a preview, the client gets one frame, in the format that it announced. */
  update(node: string, value: number, max: number, preview?: () => Buffer): void {
    if (preview === undefined && this.#tooSoon(node, value, max)) return;
    this.#reported.set(node, { value, at: this.#now() });
    this.#say(node, value, max, 'running');
    const jpeg = this.#sockets.hears(this.#audience) ? preview?.() : undefined;
    const withMetadata = this.#sockets.supports(this.#audience, 'supports_preview_metadata');
    if (jpeg !== undefined && withMetadata) {
      const metadata = {
        node_id: node,
        prompt_id: this.#promptId,
        display_node_id: node,
        parent_node_id: null,
        real_node_id: node,
      };
      this.#sockets.sendPreviewWithMetadata(jpeg, metadata, this.#audience);
    }
    this.#sockets.send('progress', { value, max, prompt_id: this.#promptId, node }, this.#audience);
    if (jpeg !== undefined && !withMetadata) this.#sockets.sendPreview(jpeg, this.#audience);
  }

  #tooSoon(node: string, value: number, max: number): boolean {
    const last = this.#reported.get(node);
    if (!this.#throttled || last === undefined || value >= max) return false;
    return this.#now() - last.at < THROTTLE.ms || (value - last.value) / max < THROTTLE.part;
  }

  #say(node: string, value: number, max: number, state: State): void {
    this.#max.set(node, max);
    const entry = {
      value,
      max,
      state,
      node_id: node,
      prompt_id: this.#promptId,
      display_node_id: node,
      parent_node_id: null,
      real_node_id: node,
    };
    this.#worded.set(node, `${JSON.stringify(node)}:${JSON.stringify(entry)}`);
    if (!this.#sockets.hears(this.#audience)) return;
    const id = JSON.stringify(this.#promptId);
    // Built by hand, because an object would sort its numeric keys: ComfyUI keeps the order of execution.
    const nodes = [...this.#worded.values()].join(',');
    this.#sockets.sendText(
      `{"type":"progress_state","data":{"prompt_id":${id},"nodes":{${nodes}}}}`,
      this.#audience,
    );
  }
}
