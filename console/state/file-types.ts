// Inputs whose value is a file, and what each takes. Pure. Source: docs/workflows.md.

import type { JobStatus } from '../api/types.ts';

export type FileType = 'image' | 'audio' | 'video' | 'file';

/** Of the API's rule: the sound of a film is one. */
export const takesKind = (type: string, kind: JobStatus['outputs'][number]['kind']): boolean =>
  type === 'file' || type === kind || (type === 'audio' && kind === 'video');

export const isFileType = (type: string): type is FileType => /^(image|audio|video|file)$/.test(type);
