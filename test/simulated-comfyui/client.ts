// Owns a test's side of the wire: plain requests, and a socket whose messages are kept in order.
// Refuses to wait by time: it waits for a message or for an answer.
import { WebSocket } from 'ws';

export type Event = { type: string; data: Record<string, unknown> };
export type Frame = { binary: Buffer };
export type Message = Event | Frame;

export const isFrame = (message: Message): message is Frame => 'binary' in message;

/** The JSON, or the text where it is none. */
export async function ask(
  url: string,
  method: string,
  path: string,
  body?: unknown,
): Promise<[number, unknown]> {
  const init =
    body === undefined
      ? { method }
      : { method, body: typeof body === 'string' ? body : JSON.stringify(body) };
  const answer = await fetch(url + path, init);
  const text = await answer.text();
  const isJson = answer.headers.get('content-type')?.startsWith('application/json') ?? false;
  return [answer.status, isJson ? (JSON.parse(text) as unknown) : text];
}

/** Asks again until the answer suits; each question is a round trip, so this does not spin. */
export async function askUntil(
  url: string,
  path: string,
  suits: (body: unknown) => boolean,
): Promise<unknown> {
  for (;;) {
    const [, body] = await ask(url, 'GET', path);
    if (suits(body)) return body;
  }
}

export class Listener {
  readonly messages: Message[] = [];
  readonly socket: WebSocket;
  readonly closed: Promise<void>;
  #waiting: (() => void)[] = [];

  constructor(url: string, clientId: string) {
    this.socket = new WebSocket(`${url.replace('http', 'ws')}/ws?clientId=${clientId}`);
    this.socket.on('message', (data, isBinary) => {
      const bytes = data as Buffer;
      this.messages.push(isBinary ? { binary: bytes } : (JSON.parse(bytes.toString()) as Event));
      for (const wake of this.#waiting.splice(0)) wake();
    });
    this.closed = new Promise((resolve) => {
      this.socket.on('close', () => resolve());
    });
    this.socket.on('error', () => undefined);
  }

  async until(suits: (message: Event) => boolean): Promise<Event> {
    for (let at = 0; ;) {
      for (; at < this.messages.length; at++) {
        const message = this.messages[at]!;
        if (!isFrame(message) && suits(message)) return message;
      }
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
      });
    }
  }

  /** The first message is always a status: the socket is then on the list. */
  greeted(): Promise<Event> {
    return this.until(({ type }) => type === 'status');
  }

  /** `executing` without a node: the history is there. */
  ended(promptId: string): Promise<Event> {
    return this.until(
      ({ type, data }) => type === 'executing' && data['node'] === null && data['prompt_id'] === promptId,
    );
  }

  close(): void {
    this.socket.close();
  }
}
