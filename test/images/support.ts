// What tests of images have in common.

import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ReadableStream } from 'node:stream/web';
import type { StoredImage } from '../../functions/images/images.ts';

export const MB = 1024 * 1024;
export const png = { contentType: 'image/png' };

export async function whole(found: StoredImage | 'not-modified' | undefined): Promise<Buffer> {
  if (typeof found !== 'object') throw new Error(`no image: ${found}`);
  return Buffer.from(await new Response(found.body as never).arrayBuffer());
}

export function webStream(pieces: Uint8Array[], end: 'closes' | 'breaks' = 'closes') {
  return new ReadableStream<Uint8Array>({
    pull(controller) {
      const piece = pieces.shift();
      if (piece) controller.enqueue(piece);
      else if (end === 'closes') controller.close();
      else controller.error(new Error('half an image'));
    },
  });
}

export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

export async function listen(listener: RequestListener): Promise<{ url: string; server: Server }> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server };
}
