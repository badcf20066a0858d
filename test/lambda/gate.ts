// Between a function and its bucket: lets a number of bytes of the answers through and holds the rest, until it is told
// to go on or to cut the connection.

import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export interface Gate {
  url: string;
  /** Of the answers from now on, over all connections. */
  holdAfter(bytes: number): void;
  open(): void;
  cut(): void;
  close(): Promise<void>;
}

export async function startGate(target: string): Promise<Gate> {
  const { port } = new URL(target);
  const pairs = new Set<[Socket, Socket]>();
  let left = Number.POSITIVE_INFINITY;
  const server = createServer((inner) => {
    const outer = connect(Number(port), '127.0.0.1');
    const pair: [Socket, Socket] = [inner, outer];
    pairs.add(pair);
    inner.pipe(outer);
    outer.on('data', (chunk: Buffer) => {
      inner.write(chunk);
      left -= chunk.length;
      if (left <= 0) outer.pause();
    });
    for (const [one, other] of [pair, [outer, inner] as const]) {
      one.on('error', () => other.destroy());
      one.once('close', () => {
        other.destroy();
        pairs.delete(pair);
      });
    }
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const cut = () => {
    for (const [inner] of pairs) inner.destroy();
  };
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    holdAfter(bytes) {
      left = bytes;
    },
    open() {
      left = Number.POSITIVE_INFINITY;
      for (const [, outer] of pairs) outer.resume();
    },
    cut() {
      left = Number.POSITIVE_INFINITY;
      cut();
    },
    async close() {
      cut();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}
