// Frames of previews: read as ComfyUI writes them, written as its clients read them.

import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { previewFrame, readPreview } from '../../functions/comfyui/preview-frames.ts';

const word = (value: number) => Buffer.from([value >>> 24, value >>> 16, value >>> 8, value]);
const image = Buffer.from('the image');
const withMetadata = (json: string, length = Buffer.byteLength(json)) =>
  Buffer.concat([word(4), word(length), Buffer.from(json), image]);

test('of the old kind the type is a number, and whose it is is not said', () => {
  const read = (type: number) => readPreview(Buffer.concat([word(1), word(type), image]));
  expect(read(1)).toEqual({ promptId: undefined, preview: { node: undefined, type: 'image/jpeg', image } });
  expect(read(2)?.preview.type).toBe('image/png');
  expect(read(3)).toBeUndefined();
});

test('of the new kind the metadata says which node of which prompt', () => {
  const json = '{"node_id": "8", "prompt_id": "p", "display_node_id": "8", "image_type": "image/png"}';
  expect(readPreview(withMetadata(json))).toEqual({
    promptId: 'p',
    preview: { node: '8', type: 'image/png', image },
  });
});

test.each([
  ['nothing', Buffer.alloc(0)],
  ['a type alone', word(1)],
  ['a text', Buffer.concat([word(3), word(1), image])],
  ['a length beyond its end', withMetadata('{}', 1e6)],
  ['no JSON', withMetadata('{"node_id"')],
  ['null', withMetadata('null')],
  ['no prompt', withMetadata('{"image_type":"image/png"}')],
  ['another image', withMetadata('{"prompt_id":"p","image_type":"image/svg+xml"}')],
])('%s is no preview', (_, frame) => {
  expect(readPreview(frame)).toBeUndefined();
});

test('what is written is read again; without the node or the metadata as the old kind', () => {
  fc.assert(
    fc.property(
      fc.string(),
      fc.option(fc.string(), { nil: undefined }),
      fc.constantFrom('image/jpeg' as const, 'image/png' as const),
      fc.uint8Array(),
      fc.boolean(),
      (promptId, node, type, bytes, metadata) => {
        const preview = { node, type, image: Buffer.from(bytes) };
        const isNew = metadata && node !== undefined;
        expect(readPreview(previewFrame(preview, promptId, metadata))).toEqual({
          promptId: isNew ? promptId : undefined,
          preview: { ...preview, node: isNew ? node : undefined },
        });
      },
    ),
  );
});
