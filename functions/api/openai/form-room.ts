// How much of forms may lie in memory at once: an edit's images are whole there until they are stored.

import { MB } from '../../core/quota.ts';
import { OpenAIError } from './errors.ts';

/** Of all forms of this process. */
const ROOM = 200 * MB;
/** Seconds: a form of 50 MB is here in that time, on most lines. */
const COME_AGAIN = 3;

export interface FormRoom {
  /** @param bytes as the request says, or the most that it may have. @returns gives it back. @throws OpenAIError */
  take(bytes: number): () => void;
}

export function createFormRoom(room = ROOM): FormRoom {
  let left = room;
  return {
    take(bytes) {
      // One that is larger than all of it is taken where nothing else is there.
      if (bytes > left && left < room)
        throw new OpenAIError(
          503,
          'server_error',
          'too_many_forms',
          'As many images are being received as there is memory for: repeat the call, as OpenAI’s SDKs do by themselves',
          null,
          { 'Retry-After': String(COME_AGAIN) },
        );
      left -= bytes;
      let isTaken = true;
      return () => {
        if (isTaken) left += bytes;
        isTaken = false;
      };
    },
  };
}
