// Previews as binary frames of ComfyUI's socket: a type of 4 bytes, then 1: an image type (1 JPEG, 2 PNG) and the image; 4: the
// length of a JSON, the JSON, and the image. Source: ComfyUI 0.33's protocol.py and server.py.

import type { Preview } from '../core/live.ts';

const PREVIEW = 1;
const PREVIEW_WITH_METADATA = 4;
const TYPES = ['image/jpeg', 'image/png'] as const;
const WORD = 4;

/** Undefined: it is no preview. `promptId`: only a frame with metadata says whose it is. */
export function readPreview(
  frame: Buffer,
): { promptId: string | undefined; preview: Omit<Preview, 'step'> } | undefined {
  if (frame.length < 2 * WORD) return undefined;
  const kind = frame.readUInt32BE(0);
  const word = frame.readUInt32BE(WORD);
  const body = frame.subarray(2 * WORD);
  if (kind === PREVIEW) {
    const type = TYPES[word - 1];
    return type && { promptId: undefined, preview: { node: undefined, type, image: body } };
  }
  if (kind !== PREVIEW_WITH_METADATA || word > body.length) return undefined;
  const { prompt_id: promptId, node_id: node, image_type: type } = parsed(body.subarray(0, word));
  const known = TYPES.find((one) => one === type);
  if (typeof promptId !== 'string' || !known) return undefined;
  const image = body.subarray(word);
  return { promptId, preview: { node: typeof node === 'string' ? node : undefined, type: known, image } };
}

function parsed(json: Buffer): Record<string, unknown> {
  try {
    return (JSON.parse(json.toString('utf8')) ?? {}) as Record<string, unknown>;
  } catch {
    return {};
  }
}

/** @param withMetadata for a client that has said that it reads it, and where the node is known */
export function previewFrame(
  { node, type, image }: Omit<Preview, 'step'>,
  promptId: string,
  withMetadata: boolean,
): Buffer {
  if (!withMetadata || node === undefined)
    return Buffer.concat([word(PREVIEW), word(TYPES.indexOf(type) + 1), image]);
  const metadata = Buffer.from(
    JSON.stringify({
      node_id: node,
      prompt_id: promptId,
      display_node_id: node,
      parent_node_id: null,
      real_node_id: node,
      image_type: type,
    }),
  );
  return Buffer.concat([word(PREVIEW_WITH_METADATA), word(metadata.length), metadata, image]);
}

function word(value: number): Buffer {
  const bytes = Buffer.alloc(WORD);
  bytes.writeUInt32BE(value);
  return bytes;
}
