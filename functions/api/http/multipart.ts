// One file of a form, in memory. Refuses what is more than a form with a file.

import { AppError } from '../../core/errors.ts';
import { readParts } from './form-parts.ts';

export interface FormFile {
  bytes: Uint8Array;
}

/** A form of ours has one part; some clients send what ComfyUI takes besides: subfolder, type, overwrite. */
const LIMITS = { files: 4, fields: 16, parts: 20, fieldSize: 16 * 1024 };

/**
 * What was sent in `field`, a file with or without a name.
 * @param maxBytes of the file
 * @param tooLarge called where it has more
 * @throws AppError unsupported_media_type, invalid_image, missing_field
 */
export async function readFormFile(
  request: Request,
  field: string,
  maxBytes: number,
  tooLarge: () => never,
): Promise<FormFile> {
  const wanted = `Send the image as multipart/form-data in the field "${field}"`;
  const type = request.headers.get('content-type') ?? '';
  if (!/^multipart\/form-data\b/i.test(type)) throw new AppError('unsupported_media_type', wanted);

  let found: Buffer[] | undefined;
  let size = 0;
  await readParts(request, type, {
    limits: LIMITS,
    unreadable: (why) => new AppError('invalid_image', `${wanted}; this form ${why}`),
    onFile(name, bytes) {
      const isMine = name === field && found === undefined;
      const pieces: Buffer[] = [];
      if (isMine) found = pieces;
      bytes.on('data', (piece: Buffer) => {
        if (!isMine) return;
        size += piece.length;
        if (size <= maxBytes) pieces.push(piece);
      });
    },
    onField: () => undefined,
    isEnough: () => size > maxBytes,
  });
  if (size > maxBytes) tooLarge();
  if (!found) throw new AppError('missing_field', `Missing required field: ${field}`, { field });
  return { bytes: Buffer.concat(found) };
}
