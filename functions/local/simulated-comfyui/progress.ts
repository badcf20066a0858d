// Owns how far each node of the running prompt is, and the messages that say so.
// Refuses to pace anything: nodes call it when they have something to say.
import type { Audience, Sockets } from './sockets.ts';

type State = 'running' | 'finished';

export class Progress {
  /** Each node's part of progress_state, worded once per change: the message repeats them all. */
  readonly #worded = new Map<string, string>();
  readonly #max = new Map<string, number>();
  readonly #sockets: Sockets;
  readonly #promptId: string;
  readonly #audience: Audience;

  constructor(sockets: Sockets, promptId: string, audience: Audience) {
    this.#sockets = sockets;
    this.#promptId = promptId;
    this.#audience = audience;
  }

  start(node: string): void {
    this.#say(node, 0, 1, 'running');
  }

  finish(node: string): void {
    const max = this.#max.get(node) ?? 1;
    this.#say(node, max, max, 'finished');
  }

  /** With a preview, the client gets one frame, in the form that it announced. */
  update(node: string, value: number, max: number, preview?: () => Buffer): void {
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
    // By hand, because an object would sort its numeric keys: ComfyUI keeps the order of execution.
    const nodes = [...this.#worded.values()].join(',');
    this.#sockets.sendText(
      `{"type":"progress_state","data":{"prompt_id":${id},"nodes":{${nodes}}}}`,
      this.#audience,
    );
  }
}
