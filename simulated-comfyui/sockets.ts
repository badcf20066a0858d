// The WebSockets by client id, and the format of events and binary frames on them.
// Independent of what events mean; no message is kept for a client that is not connected.
import type { WebSocket } from 'ws';
import type { Faults } from './faults.ts';
import { dumps, wire } from './python-json.ts';

interface Client {
  socket: WebSocket;
  features: Record<string, unknown>;
  gone: boolean;
}

/** A client id, or null for everyone, as ComfyUI does for a prompt without a client id. */
export type Audience = string | null;

export class Sockets {
  readonly #clients = new Map<string, Client>();
  readonly #faults: Faults;
  readonly #features: object;

  /** @param features the answer to a client that announces its own */
  constructor(faults: Faults, features: object) {
    this.#faults = faults;
    this.#features = features;
  }

  /** A second socket with the same id replaces the first one. */
  add(socket: WebSocket, id: string): void {
    const before = this.#clients.get(id);
    // The first one is closing; only the end of its connection is still to come.
    if (before !== undefined && before.socket.readyState !== before.socket.OPEN) before.gone = true;
    const client: Client = { socket, features: {}, gone: false };
    this.#clients.set(id, client);
    // The close of a replaced socket removes its successor from the list, as in ComfyUI 0.8 and 0.33.
    socket.on('close', () => {
      if (!client.gone) this.#clients.delete(id);
    });
    socket.on('error', () => socket.terminate());
    socket.once('message', (data, isBinary) => {
      if (!isBinary) this.#greet(id, (data as Buffer).toString());
    });
  }

  #greet(id: string, text: string): void {
    let message: unknown;
    try {
      message = JSON.parse(text);
    } catch {
      return;
    }
    const { type, data } = (message ?? {}) as { type?: unknown; data?: Record<string, unknown> };
    const client = this.#clients.get(id);
    if (type !== 'feature_flags' || client === undefined) return;
    client.features = data ?? {};
    this.send('feature_flags', this.#features, id);
  }

  supports(audience: Audience, feature: string): boolean {
    return audience !== null && this.#clients.get(audience)?.features[feature] === true;
  }

  /** Avoids building an event that no client receives. */
  hears(audience: Audience): boolean {
    return audience === null ? this.#clients.size > 0 : this.#clients.has(audience);
  }

  send(type: string, data: object, audience: Audience): void {
    if (this.hears(audience)) this.#deliver(wire({ type, data }), audience);
  }

  /** For an event whose JSON the caller builds itself. */
  sendText(text: string, audience: Audience): void {
    this.#deliver(text, audience);
  }

  /** Frame type 1: an image after its image type, 1 for JPEG. */
  sendPreview(jpeg: Buffer, audience: Audience): void {
    this.#deliver(Buffer.concat([word(1), word(1), jpeg]), audience);
  }

  /** Frame type 4: the length of the JSON, the JSON, the image. */
  sendPreviewWithMetadata(jpeg: Buffer, metadata: object, audience: Audience): void {
    const json = Buffer.from(dumps({ ...metadata, image_type: 'image/jpeg' }));
    this.#deliver(Buffer.concat([word(4), word(json.length), json, jpeg]), audience);
  }

  #deliver(message: string | Buffer, audience: Audience): void {
    const clients = audience === null ? [...this.#clients.values()] : [this.#clients.get(audience)];
    for (const client of clients) {
      if (client === undefined) continue;
      const fate = this.#faults.fateOfMessage(client.socket);
      if (fate === 'send') {
        if (typeof message === 'string')
          for (const again of this.#faults.replayBefore(message)) client.socket.send(again);
        client.socket.send(message);
      }
      if (fate === 'cut') client.socket.terminate();
    }
  }

  forget(): void {
    this.#clients.clear();
  }
}

function word(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
