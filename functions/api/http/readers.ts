// The budget of images that are read at the same time: each reader takes a slot while the bytes go out, and one owner
// takes three quarters at most. If no slot is free, the reader that has taken nothing for longest loses its own.

import { ReadableStream as WebStream } from 'node:stream/web';
import { AppError } from '../../core/errors.ts';
import { shareOf } from './open-connections.ts';

export interface Readers {
  /** Returns undefined if no slot is free. @param cut ends the answer when another reader needs the slot */
  take(owner: string, cut: () => void): Reader | undefined;
}

export interface Reader {
  /** It has taken something. */
  moved(): void;
  free(): void;
}

/** ms; a slow but steady reader takes something in that time. */
const STILL_AFTER = 5000;

interface Slot extends Reader {
  owner: string;
  movedAt: number;
  cut(): void;
}

/** @param now of a clock that does not jump, ms */
export function createReaders(limit: number, now: () => number = () => performance.now()): Readers {
  const ofOwner = shareOf(limit);
  // In the order of when each has moved last.
  const slots = new Set<Slot>();

  /** Returns whether a slot is free now. */
  function makeRoom(among: Slot[], most: number): boolean {
    if (among.length < most) return true;
    const stillest = among[0]!;
    if (now() - stillest.movedAt < STILL_AFTER) return false;
    stillest.free();
    stillest.cut();
    return true;
  }

  return {
    take(owner, cut) {
      const theirs = [...slots].filter((slot) => slot.owner === owner);
      if (!makeRoom(theirs, ofOwner) || !makeRoom([...slots], limit)) return undefined;
      const slot: Slot = {
        owner,
        cut,
        movedAt: now(),
        moved() {
          if (!slots.delete(slot)) return;
          slot.movedAt = now();
          slots.add(slot);
        },
        free: () => slots.delete(slot),
      };
      slots.add(slot);
      return slot;
    },
  };
}

export function tooManyReaders(): AppError {
  return new AppError(
    'too_many_readers',
    'Too many images are being read at the same time; read those that were asked for to their end, then ask again',
  );
}

/** The same bytes; each chunk keeps the reader's slot, the end frees it. */
export function readAt(body: WebStream<Uint8Array> | Uint8Array, reader: Reader): ReadableStream<Uint8Array> {
  const source = (body instanceof Uint8Array ? WebStream.from([body]) : body).getReader();
  return new ReadableStream<Uint8Array>(
    {
      async pull(out) {
        reader.moved();
        try {
          const { done, value } = await source.read();
          if (!done) return out.enqueue(value);
          reader.free();
          out.close();
        } catch (error) {
          reader.free();
          throw error;
        }
      },
      cancel(reason) {
        reader.free();
        return source.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
}
