// Files of strangers: what is in them, and what is refused.

import { deflateSync } from 'node:zlib';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_WORKFLOW_FILE_BYTES } from '../../../functions/core/limits.ts';
import { stamp } from '../../../functions/core/render.ts';
import { parseTemplate } from '../../../functions/core/template.ts';
import { UnreadableFile } from '../../../functions/core/workflow-file/fault.ts';
import { proposalOf } from '../../../functions/core/workflow-file/proposal.ts';
import { readWorkflowFile } from '../../../functions/core/workflow-file/read.ts';
import { bytesOf, canvas, INFO, textToPicture } from './files.ts';

const graph = { '1': { class_type: 'Save', inputs: { filename_prefix: 'x' } } };
const { nodes, links } = textToPicture();
const drawn = canvas(nodes, links);

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

function chunk(type: string, content: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(content.length);
  head.write(type, 4, 'latin1');
  return Buffer.concat([head, content, Buffer.alloc(4)]);
}
const png = (...chunks: Buffer[]) =>
  Buffer.concat([SIGNATURE, chunk('IHDR', Buffer.alloc(13)), ...chunks, chunk('IEND', Buffer.alloc(0))]);
const tEXt = (name: string, value: unknown) =>
  chunk(
    'tEXt',
    Buffer.from(`${name}\0${typeof value === 'string' ? value : JSON.stringify(value)}`, 'latin1'),
  );
const zTXt = (name: string, value: unknown) =>
  chunk('zTXt', Buffer.concat([Buffer.from(`${name}\0\0`), deflateSync(JSON.stringify(value))]));
const iTXt = (name: string, value: unknown, compressed: boolean) => {
  const text = Buffer.from(JSON.stringify(value));
  const head = Buffer.from(`${name}\0${compressed ? '\x01' : '\0'}\0en\0\0`, 'latin1');
  return chunk('iTXt', Buffer.concat([head, compressed ? deflateSync(text) : text]));
};

function webp(...texts: string[]): Buffer {
  const head = Buffer.alloc(10 + texts.length * 12 + 4);
  head.write('II');
  head.writeUInt16LE(42, 2);
  head.writeUInt32LE(8, 4);
  head.writeUInt16LE(texts.length, 8);
  let at = head.length;
  const contents = texts.map((text, index) => {
    const content = Buffer.from(`${text}\0`);
    const entry = 10 + index * 12;
    head.writeUInt16LE(0x0110 - index, entry);
    head.writeUInt16LE(2, entry + 2);
    head.writeUInt32LE(content.length, entry + 4);
    head.writeUInt32LE(at, entry + 8);
    at += content.length;
    return content;
  });
  const exif = Buffer.concat([head, ...contents]);
  const riff = Buffer.alloc(20);
  riff.write('RIFF');
  riff.writeUInt32LE(exif.length + 12, 4);
  riff.write('WEBPEXIF', 8);
  riff.writeUInt32LE(exif.length, 16);
  return Buffer.concat([riff, exif]);
}

function codeOf(bytes: Uint8Array): string {
  try {
    readWorkflowFile(bytes);
  } catch (error) {
    if (error instanceof UnreadableFile) return error.fault.code;
    throw error;
  }
  return 'read';
}

describe('kinds of file', () => {
  test.each([
    ['an API export', bytesOf(graph), 'api'],
    ['the body of a run', bytesOf({ prompt: graph, client_id: 'x' }), 'api'],
    ['a canvas', bytesOf(drawn), 'canvas'],
    [
      'one with the form of an app',
      bytesOf({ ...drawn, extra: { linearData: { inputs: [['5', 'steps']] } } }),
      'app',
    ],
    ['PNG with plain text', png(tEXt('prompt', graph), tEXt('workflow', drawn)), 'picture'],
    ['PNG with compressed text', png(zTXt('prompt', graph)), 'picture'],
    [
      'PNG with international text',
      png(iTXt('prompt', graph, false), iTXt('workflow', drawn, true)),
      'picture',
    ],
    ['PNG with a canvas alone', png(tEXt('workflow', drawn)), 'picture'],
    ['WebP', webp(`prompt:${JSON.stringify(graph)}`, `workflow:${JSON.stringify(drawn)}`), 'picture'],
  ])('%s', (_, bytes, kind) => {
    expect(readWorkflowFile(bytes).kind).toBe(kind);
  });

  test('a picture’s graph is what ran, without what ComfyUI added to it', () => {
    const ran = { '1': { ...graph['1'], is_changed: ['NaN'], _meta: { title: 'T', x: 1 } } };
    const bytes = png(tEXt('prompt', JSON.stringify(ran).replace('"NaN"', 'NaN')), tEXt('workflow', drawn));
    expect(readWorkflowFile(bytes).graph).toEqual({ '1': { ...graph['1'], _meta: { title: 'T' } } });
  });

  test('whole numbers of 64 bits stay exact', () => {
    const text = '{"1":{"class_type":"Sample","inputs":{"seed":18446744073709551615}}}';
    expect(readWorkflowFile(new TextEncoder().encode(text)).graph!['1']!.inputs['seed']).toBe(
      18446744073709551615n,
    );
  });
});

describe('what is refused', () => {
  const deep = `${'['.repeat(200)}${']'.repeat(200)}`;
  test.each<[string, Uint8Array, string]>([
    ['no JSON', Buffer.from('hello'), 'unreadable'],
    ['nothing', Buffer.alloc(0), 'unreadable'],
    ['JSON that is no workflow', bytesOf({ a: 1 }), 'no_workflow'],
    ['an empty object', bytesOf({}), 'no_workflow'],
    ['a list', bytesOf([1]), 'no_workflow'],
    ['a picture without metadata', png(), 'no_workflow'],
    ['a picture of another program', png(tEXt('parameters', 'a fox, Steps: 20')), 'no_workflow'],
    ['a JPEG', Buffer.from([0xff, 0xd8, 0xff, 0xe0]), 'no_workflow'],
    ['a PNG that ends within a text', png(tEXt('prompt', graph)).subarray(0, 60), 'unreadable'],
    [
      'a PNG whose text is no deflated data',
      png(chunk('zTXt', Buffer.from('prompt\0\0nonsense'))),
      'unreadable',
    ],
    [
      'a PNG whose text inflates beyond the bound',
      png(zTXt('prompt', ' '.repeat(11 * 1024 * 1024))),
      'unreadable',
    ],
    ['a WebP that ends within a text', webp('prompt:{}').subarray(0, 40), 'unreadable'],
    ['deep nesting', Buffer.from(`{"nodes":${deep}}`), 'unreadable'],
    ['very deep nesting', Buffer.from('['.repeat(1e6)), 'unreadable'],
    ['names with a meaning', Buffer.from('{"nodes":[],"__proto__":{"x":1}}'), 'unreadable'],
    ['a node called so', Buffer.from('{"constructor":{"class_type":"A","inputs":{}}}'), 'unreadable'],
    ['a number beyond JSON', Buffer.from('{"1":{"class_type":"A","inputs":{"x":1e400}}}'), 'unreadable'],
    [
      'too many nodes',
      bytesOf({ nodes: Array.from({ length: 2001 }, (_, id) => ({ id, type: 'A' })) }),
      'too_large',
    ],
    ['too many bytes', Buffer.alloc(MAX_WORKFLOW_FILE_BYTES + 1, ' '), 'too_large'],
  ])('%s', (_, bytes, code) => {
    expect(codeOf(bytes)).toBe(code);
  });

  test('any JSON, and any change to a real file, is either read or refused with a reason', () => {
    const known = [drawn, graph, { definitions: { subgraphs: [drawn] }, nodes: [{ id: 1, type: 'a' }] }].map(
      (one) => JSON.stringify(one),
    );
    const changed = fc
      .tuple(
        fc.constantFrom(...known),
        fc.nat(),
        fc.constantFrom('null', '{}', '[]', '-10', '"x"', '1e9', 'true'),
      )
      .map(([text, at, value]) => {
        const values = [...text.matchAll(/(?<=:)("[^"]*"|-?\d+(\.\d+)?|null)/g)];
        const match = values[at % values.length]!;
        return text.slice(0, match.index) + value + text.slice(match.index + match[0].length);
      });
    fc.assert(
      fc.property(fc.oneof(fc.json(), changed), (text) => {
        try {
          const { graph, file } = proposalOf(new TextEncoder().encode(text), INFO);
          expect(Object.keys(graph).length + Object.keys(file.inputs).length).toBeGreaterThanOrEqual(0);
        } catch (error) {
          expect(error).toBeInstanceOf(UnreadableFile);
        }
      }),
      { numRuns: 500 },
    );
  });

  test('any bytes behind a picture’s signature too', () => {
    const parts = fc.array(
      fc.tuple(fc.constantFrom('tEXt', 'iTXt', 'zTXt', 'IDAT'), fc.uint8Array({ maxLength: 40 })),
    );
    fc.assert(
      fc.property(parts, fc.uint8Array({ maxLength: 30 }), (chunks, rest) => {
        const made = chunks.map(([type, content]) => chunk(type, Buffer.from(content)));
        expect(['no_workflow', 'unreadable']).toContain(codeOf(Buffer.concat([SIGNATURE, ...made, rest])));
      }),
      { numRuns: 300 },
    );
  });
});

test('a picture that a job made has the graph without what the job added', () => {
  const made = stamp(graph, '0123abcd-0123-8123-8123-0123456789ab', 1, []);
  expect(made).not.toEqual(graph);
  expect(readWorkflowFile(png(tEXt('prompt', made))).graph).toEqual(graph);
});

test('what is proposed for a canvas is a template', () => {
  const { graph, file } = proposalOf(bytesOf(drawn), INFO, 'Fox');
  expect(parseTemplate('fox', graph, file).title).toBe('Fox');
});
