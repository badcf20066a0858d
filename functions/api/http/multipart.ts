// One file of a form, as every client writes it: names without quotes (.NET), `filename*`, no blank behind a semicolon,
// words before the first boundary. Parts are counted while they stream. Refuses what is more than a form with a file.

import type { BusboyInstance } from '@fastify/busboy';
import { AppError } from '../../core/errors.ts';

export interface FormFile {
  bytes: Uint8Array;
}

/** A form of ours has one part; some clients send what ComfyUI takes besides: subfolder, type, overwrite. */
const LIMITS = { files: 4, fields: 16, parts: 20, fieldSize: 16 * 1024, fieldNameSize: 200, headerPairs: 50 };

/**
 * What was sent in `field`, a file with or without a name. The body is read to its end whatever is wrong with it, so that
 * a client that writes all before it reads gets the answer; its length is limited before.
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
  const unreadable = (why: string) => new AppError('invalid_image', `${wanted}; ${why}`);
  const form = await openForm(type);
  if (!form) throw unreadable('this form names no boundary');

  let problem: Error | undefined;
  let found: Buffer[] | undefined;
  let isLarge = false;
  const fail = (error: Error) => {
    problem ??= error;
  };
  form.on('file', (name, stream) => {
    const isMine = name === field && found === undefined;
    const pieces: Buffer[] = [];
    if (isMine) found = pieces;
    let size = 0;
    stream.on('data', (piece: Buffer) => {
      if (!isMine) return;
      size += piece.length;
      if (size > maxBytes) isLarge = true;
      else pieces.push(piece);
    });
    stream.on('error', fail);
  });
  for (const limit of ['partsLimit', 'filesLimit', 'fieldsLimit'] as const)
    form.on(limit, () => fail(unreadable('this form has too many parts')));
  form.on('error', () => fail(unreadable('this form cannot be read')));
  const finished = new Promise<void>((resolve) => {
    form.once('finish', resolve);
    form.once('error', () => resolve());
    form.once('close', resolve);
  });

  for await (const piece of request.body ?? [])
    if (!problem && !isLarge) form.write(Buffer.from(piece.buffer, piece.byteOffset, piece.length));
  if (isLarge) tooLarge();
  if (!problem) {
    form.end();
    await finished;
  }
  if (problem) throw problem;
  if (!found) throw new AppError('missing_field', `Missing required field: ${field}`, { field });
  return { bytes: Buffer.concat(found) };
}

async function openForm(type: string): Promise<BusboyInstance | undefined> {
  // Of use to one route: no cold start loads it.
  const { default: Busboy } = await import('@fastify/busboy');
  try {
    return new Busboy({
      headers: { 'content-type': type },
      limits: LIMITS,
      // A part that is bytes is a file, whether it has a name or not.
      isPartAFile: (_, contentType, fileName) =>
        fileName !== undefined || (contentType !== undefined && !contentType.startsWith('text/')),
    });
  } catch {
    return undefined;
  }
}
