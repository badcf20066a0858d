// The parts of a form, as every client writes it: names without quotes (.NET), `filename*`, no blank behind a semicolon,
// words before the first boundary. Refuses what has more parts than it may have.

import type { BusboyInstance } from '@fastify/busboy';
import type { Readable } from 'node:stream';

export interface PartsRules {
  limits: { files: number; fields: number; parts: number; fieldSize: number };
  /** @param why completes "this form …" */
  unreadable(why: string): Error;
  /** Must take the bytes to their end. */
  onFile(name: string, bytes: Readable): void;
  onField(name: string, value: string): void;
  /** The rest need not be looked at. */
  isEnough(): boolean;
}

/**
 * The body is read to its end whatever is wrong with it, so that a client that writes all before it reads gets the answer; its
 * length is limited before.
 * @param type the content type @throws what `unreadable` says
 */
export async function readParts(request: Request, type: string, rules: PartsRules): Promise<void> {
  const { limits, unreadable, onFile, onField, isEnough } = rules;
  const form = await openForm(type, limits);
  if (!form) throw unreadable('names no boundary');
  let problem: Error | undefined;
  const fail = (why: string) => {
    problem ??= unreadable(why);
  };
  form.on('file', (name, bytes) => {
    bytes.on('error', () => fail('cannot be read'));
    onFile(name, bytes);
  });
  form.on('field', (name, value, _, isCut) => {
    if (isCut) fail(`has a field of more than ${limits.fieldSize} bytes`);
    onField(name, value);
  });
  for (const limit of ['partsLimit', 'filesLimit', 'fieldsLimit'] as const)
    form.on(limit, () => fail('has too many parts'));
  form.on('error', () => fail('cannot be read'));
  const finished = new Promise<void>((resolve) => {
    form.once('finish', resolve);
    form.once('error', () => resolve());
    form.once('close', resolve);
  });

  for await (const piece of request.body ?? [])
    if (!problem && !isEnough()) form.write(Buffer.from(piece.buffer, piece.byteOffset, piece.length));
  if (!problem && !isEnough()) {
    form.end();
    await finished;
  }
  if (problem) throw problem;
}

async function openForm(type: string, limits: PartsRules['limits']): Promise<BusboyInstance | undefined> {
  // Of use to few routes: no cold start loads it.
  const { default: Busboy } = await import('@fastify/busboy');
  try {
    return new Busboy({
      headers: { 'content-type': type },
      limits: { ...limits, fieldNameSize: 200, headerPairs: 50 },
      // A part that is bytes is a file, whether it has a name or not.
      isPartAFile: (_, contentType, fileName) =>
        fileName !== undefined || (contentType !== undefined && !contentType.startsWith('text/')),
    });
  } catch {
    return undefined;
  }
}
