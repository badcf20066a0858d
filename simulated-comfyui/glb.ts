// A model that opens: glTF with one triangle in it. Source: glTF 2.0, Khronos.
import { latin1 } from './bytes.ts';

const padded = (bytes: Buffer, by: number) => Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3, by)]);

function chunk(type: string, body: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32LE(body.length);
  head.write(type, 4, 'latin1');
  return Buffer.concat([head, body]);
}

export function glb(about: string): Buffer {
  const corners = Buffer.from(new Float32Array([0, 0, 0, 1, 0, 0, 0, 1, 0]).buffer);
  const model = {
    asset: { version: '2.0', extras: { about } },
    scene: 0,
    scenes: [{ nodes: [0] }],
    nodes: [{ mesh: 0 }],
    meshes: [{ primitives: [{ attributes: { POSITION: 0 } }] }],
    accessors: [
      { bufferView: 0, componentType: 5126, count: 3, type: 'VEC3', min: [0, 0, 0], max: [1, 1, 0] },
    ],
    bufferViews: [{ buffer: 0, byteLength: corners.length }],
    buffers: [{ byteLength: corners.length }],
  };
  const body = Buffer.concat([
    chunk('JSON', padded(Buffer.from(JSON.stringify(model)), 32)),
    chunk('BIN\0', corners),
  ]);
  const head = Buffer.concat([latin1('glTF\x02\0\0\0'), Buffer.alloc(4)]);
  head.writeUInt32LE(head.length + body.length, 8);
  return Buffer.concat([head, body]);
}
