// Matroska around a film, and WebM around a few coloured frames of VP8. Source: RFC 9559, RFC 6386.
import { latin1, u16, u32 } from './bytes.ts';
import { avcC, FILM, FRAME_LASTS, h264 } from './h264.ts';
import type { Picture } from './painting.ts';

/** An element of Matroska: its id as it is written, and a size of eight bytes. */
const element = (id: number, ...parts: (Buffer | number | string)[]): Buffer => {
  const body = Buffer.concat(
    parts.map((part) =>
      typeof part === 'number' ? u32(part) : typeof part === 'string' ? latin1(part) : part,
    ),
  );
  const name = u32(id);
  return Buffer.concat([
    name.subarray(name.findIndex((byte) => byte !== 0)),
    u32(0x01000000, body.length),
    body,
  ]);
};

interface Track {
  codec: string;
  setup?: Buffer;
  frames: Buffer[];
  width: number;
  height: number;
  /** Whether a frame needs none before it. */
  isWhole: (index: number) => boolean;
}

function matroska(
  type: 'matroska' | 'webm',
  { codec, setup, frames, width, height, isWhole }: Track,
  about: string,
): Buffer {
  const head = element(
    0x1a45dfa3,
    element(0x4282, type),
    element(0x4286, 1),
    element(0x42f7, 1),
    element(0x42f2, 4),
    element(0x42f3, 8),
    element(0x4287, 4),
    element(0x4285, 2),
  );
  const duration = Buffer.alloc(4);
  duration.writeFloatBE(frames.length * FRAME_LASTS);
  const info = element(
    0x1549a966,
    element(0x2ad7b1, 1_000_000),
    element(0x4489, duration),
    element(0x4d80, 'simulated'),
    element(0x5741, about),
  );
  const track = element(
    0xae,
    element(0xd7, 1),
    element(0x73c5, 1),
    element(0x83, Buffer.from([1])),
    element(0x86, codec),
    ...(setup ? [element(0x63a2, setup)] : []),
    element(0xe0, element(0xb0, width), element(0xba, height)),
  );
  const blocks = frames.map((frame, index) =>
    element(
      0xa3,
      Buffer.from([0x81]),
      u16(index * FRAME_LASTS),
      Buffer.from([isWhole(index) ? 0x80 : 0]),
      frame,
    ),
  );
  const cluster = element(0x1f43b675, element(0xe7, 0), ...blocks);
  return Buffer.concat([head, element(0x18538067, info, element(0x1654ae6b, track), cluster)]);
}

export function mkv(picture: Picture, about: string): Buffer {
  const track = {
    codec: 'V_MPEG4/ISO/AVC',
    setup: avcC,
    frames: h264(picture),
    ...FILM,
    isWhole: (index: number) => index === 0,
  };
  return matroska('matroska', track, about);
}

/** Frames of 64 × 64 in one colour each, as libwebp encodes them: those of a lossy WebP are key frames of VP8. */
const COLOURED = [
  '8AMAnQEqQABAAD7RaK9SqCYkIqIIAQAaCWkA1aqAABA3U1AFeIW5AAD+4cN/w2qsrb//ggtqPTDiZJ54VWROkAAAAAA=',
  '8AMAnQEqQABAAD7RaK9SKCYkIqIIAQAaCWkA1PaAABh7qagCvEXigAD+zoL/4tz9uukP/bXDb1szhJvVLgTjgAAA',
  'kAMAnQEqQABAAD7RaK9SqCYkIqIIAQAaCWkAABA3U1AFeIW5AAD+6Isf/9i/YH8Szp60PB7wAAAAAA==',
  '0AMAnQEqQABAAD7RaK9SqCWkIqIIAQAaCWkA05wG39prKro4neYAAPzK+kulyG/6+8odiTYZViqanXb1gyAAAA==',
  '8AMAnQEqQABAAD7RaK9SqCYkIqIIAQAaCWkA0L6AABA3U1AYa8QpgAD+2ib/igFI4c7/iF3shdeOiMDcyExL1mY60AAAAA==',
  '0AMAnQEqQABAAD7RaK9SqCWkIqIIAQAaCWkA05wFmusGnRaXEKYAAP7kAX+3nmt7Bp72vDYjK+2MgdVe9RagAAAA',
];

export function webm(about: string): Buffer {
  const frames = COLOURED.map((frame) => Buffer.from(frame, 'base64'));
  return matroska('webm', { codec: 'V_VP8', frames, width: 64, height: 64, isWhole: () => true }, about);
}
