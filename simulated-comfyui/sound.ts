// A second of sound that plays: FLAC has a soft tone, MP3 and Opus have silence, which needs no encoder.
// Source: RFC 9639 (FLAC), ISO/IEC 11172-3 and id3.org (MP3), RFC 3533, RFC 6716 and RFC 7845 (Ogg Opus).
import { latin1, u16, u32 } from './bytes.ts';

const RATE = 44_100;
const BLOCK = 4410;
const BLOCKS = 10;

/** Of a polynomial without reflection; the start is 0. */
function crc(bytes: Uint8Array, bits: 8 | 16 | 32, polynomial: number): number {
  const top = 2 ** (bits - 1);
  let left = 0;
  for (const byte of bytes) {
    left ^= byte * 2 ** (bits - 8);
    for (let bit = 0; bit < 8; bit++) left = left & top ? (left << 1) ^ polynomial : left << 1;
  }
  return (bits === 32 ? left : left & (2 ** bits - 1)) >>> 0;
}

/** One channel of 16 bits. @param pitch Hz */
export function flac(pitch: number, about: string): Buffer {
  const block = (type: number, body: Buffer) => Buffer.concat([u32(type * 2 ** 24 + body.length), body]);
  const info = Buffer.concat([
    u16(BLOCK),
    u16(BLOCK),
    Buffer.alloc(6),
    // Rate in 20 bits, channels − 1 in 3, bits − 1 in 5, samples in 36.
    u32(RATE * 4096 + (15 << 4), BLOCK * BLOCKS),
    Buffer.alloc(16),
  ]);
  const frames = Array.from({ length: BLOCKS }, (_, frame) => {
    // A block of a length that follows; 44.1 kHz, one channel, 16 bits.
    const start = Buffer.concat([Buffer.from([0xff, 0xf8, 0x79, 0x08, frame]), u16(BLOCK - 1)]);
    const samples = Buffer.alloc(BLOCK * 2);
    for (let at = 0; at < BLOCK; at++) {
      const time = (frame * BLOCK + at) / RATE;
      samples.writeInt16BE(
        Math.round(6000 * Math.sin(Math.PI * time) * Math.sin(2 * Math.PI * pitch * time)),
        at * 2,
      );
    }
    // One verbatim subframe.
    const whole = Buffer.concat([start, Buffer.from([crc(start, 8, 0x07), 0x02]), samples]);
    return Buffer.concat([whole, u16(crc(whole, 16, 0x8005))]);
  });
  const vendor = latin1('simulated');
  const little = (value: number) => u32(value).reverse();
  const comment = latin1(`about=${about}`);
  const comments = Buffer.concat([little(vendor.length), vendor, little(1), little(comment.length), comment]);
  return Buffer.concat([latin1('fLaC'), block(0, info), block(0x84, comments), ...frames]);
}

/** Frames of layer III without any bits of sound, 32 kbit/s. */
export function mp3(about: string): Buffer {
  const text = Buffer.concat([Buffer.from([0]), latin1(`about\0${about}`)]);
  const frame = Buffer.concat([latin1('TXXX'), u32(text.length), u16(0), text]);
  const tag = Buffer.concat([
    latin1('ID3\x03\0\0'),
    Buffer.from([0, 0, frame.length >> 7, frame.length & 127]),
    frame,
  ]);
  const silent = Buffer.alloc(104);
  silent.set([0xff, 0xfb, 0x10, 0xc4]);
  return Buffer.concat([tag, ...Array.from({ length: 39 }, () => silent)]);
}

/** Packets of 20 ms that hold silence. */
export function opus(about: string): Buffer {
  const little = (value: number) => u32(value).reverse();
  const page = (sequence: number, flags: number, position: number, ...packets: Buffer[]) => {
    const lacing = packets.flatMap(({ length }) => [
      ...Array<number>(Math.floor(length / 255)).fill(255),
      length % 255,
    ]);
    const bytes = Buffer.concat([
      latin1('OggS\0'),
      Buffer.from([flags]),
      little(position),
      little(0),
      little(1),
      little(sequence),
      little(0),
      Buffer.from([lacing.length, ...lacing]),
      ...packets,
    ]);
    bytes.writeUInt32LE(crc(bytes, 32, 0x04c11db7), 22);
    return bytes;
  };
  const head = Buffer.concat([
    latin1('OpusHead\x01\x01'),
    Buffer.from([0, 0]),
    little(48_000),
    Buffer.from([0, 0, 0]),
  ]);
  const comment = latin1(`about=${about}`);
  const vendor = latin1('simulated');
  const tags = Buffer.concat([
    latin1('OpusTags'),
    little(vendor.length),
    vendor,
    little(1),
    little(comment.length),
    comment,
  ]);
  const silent = Buffer.from([0xf8, 0xff, 0xfe]);
  return Buffer.concat([
    page(0, 2, 0, head),
    page(1, 0, 0, tags),
    page(2, 4, 48_000, ...Array.from({ length: 50 }, () => silent)),
  ]);
}
