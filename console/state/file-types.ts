// Inputs whose value is a file, and what each takes. Pure. Source: docs/workflows.md.

import type { JobStatus } from '../api/types.ts';

export type FileType = 'image' | 'audio' | 'video' | 'file';

/** Of the API's rule: the sound of a film is one. */
export const takesKind = (type: string, kind: JobStatus['outputs'][number]['kind']): boolean =>
  type === 'file' || type === kind || (type === 'audio' && kind === 'video');

/** What a file should have been; undefined: it may be what the input takes, as far as the browser knows. */
export function missedBy(type: FileType, mime: string): Exclude<FileType, 'file'> | undefined {
  const kind = /^(image|audio|video|text)\//.exec(mime)?.[1];
  // Browsers go by the name, and an .ogg may be a film.
  if (type === 'file' || kind === undefined || kind === type || mime.endsWith('/ogg')) return undefined;
  return type === 'audio' && kind === 'video' ? undefined : type;
}

export const isFileType = (type: string): type is FileType => /^(image|audio|video|file)$/.test(type);
