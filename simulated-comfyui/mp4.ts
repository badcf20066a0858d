// MP4 around a film. Source: ISO/IEC 14496-12.
import { latin1, u16, u32 } from './bytes.ts';
import { avcC, FILM, FRAME_LASTS, FRAMES, h264 } from './h264.ts';
import type { Picture } from './painting.ts';

const box = (type: string, ...parts: Buffer[]): Buffer => {
  const body = Buffer.concat(parts);
  return Buffer.concat([u32(body.length + 8), latin1(type), body]);
};
const full = (type: string, flags: number, ...parts: Buffer[]) => box(type, u32(flags), ...parts);

/** @param about is found in its bytes, and nothing plays it */
export function mp4(picture: Picture, about: string): Buffer {
  const frames = h264(picture);
  const duration = FRAMES * FRAME_LASTS;
  const matrix = u32(0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000);
  const head = box('ftyp', latin1('isom'), u32(0x200), latin1('isomiso2avc1mp41'));
  const moov = (offset: number) => {
    const entry = box(
      'avc1',
      u32(0),
      u32(1),
      Buffer.alloc(16),
      u16(FILM.width),
      u16(FILM.height),
      u32(0x480000, 0x480000, 0),
      u16(1),
      Buffer.alloc(32),
      u16(24),
      u16(0xffff),
      box('avcC', avcC),
    );
    const table = box(
      'stbl',
      full('stsd', 0, u32(1), entry),
      full('stts', 0, u32(1, FRAMES, FRAME_LASTS)),
      full('stss', 0, u32(1, 1)),
      full('stsc', 0, u32(1, 1, FRAMES, 1)),
      full('stsz', 0, u32(0, FRAMES, ...frames.map(({ length }) => length))),
      full('stco', 0, u32(1, offset)),
    );
    const media = box(
      'mdia',
      full('mdhd', 0, u32(0, 0, 1000, duration), u16(0x55c4), u16(0)),
      full('hdlr', 0, u32(0), latin1('vide'), Buffer.alloc(12), latin1('film\0')),
      box(
        'minf',
        full('vmhd', 1, Buffer.alloc(8)),
        box('dinf', full('dref', 0, u32(1), full('url ', 1))),
        table,
      ),
    );
    const track = full(
      'tkhd',
      3,
      u32(0, 0, 1, 0, duration, 0, 0, 0, 0),
      matrix,
      u32(FILM.width << 16, FILM.height << 16),
    );
    const movie = full(
      'mvhd',
      0,
      u32(0, 0, 1000, duration, 0x10000, 0x1000000, 0, 0),
      matrix,
      Buffer.alloc(24),
      u32(2),
    );
    return box('moov', movie, box('trak', track, media));
  };
  const before = head.length + moov(0).length + 8;
  return Buffer.concat([head, moov(before), box('mdat', ...frames), box('free', latin1(about))]);
}
