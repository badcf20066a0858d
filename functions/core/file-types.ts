// Inputs of a template whose value is a file: which type a field of ComfyUI's is, and what a file must hold for it.

import type { OutputKind } from './job-output.ts';

export const FILE_TYPES = ['image', 'audio', 'video', 'file'] as const;
export type FileType = (typeof FILE_TYPES)[number];

export function isFileType(type: string): type is FileType {
  return (FILE_TYPES as readonly string[]).includes(type);
}

/** LoadAudio takes the sound of a film. Source: its `filter_files_content_types` in 0.33. Absent: anything. */
const TAKEN: Record<FileType, readonly OutputKind[] | undefined> = {
  image: ['image'],
  audio: ['audio', 'video'],
  video: ['video'],
  file: undefined,
};

/** @param kind by the file's content */
export function takesKind(type: FileType, kind: OutputKind): boolean {
  return TAKEN[type]?.includes(kind) ?? true;
}

/** As part of a sentence. */
export const FILE_WORDS: Record<FileType, string> = {
  image: 'an image',
  audio: 'a sound, or a film with one',
  video: 'a film',
  file: 'a file',
};

/** By what a declaration says of its upload. Source: `UploadType` in comfy_api/latest/_io.py of 0.33. */
const BY_FLAG: Record<string, FileType> = {
  image_upload: 'image',
  audio_upload: 'audio',
  video_upload: 'video',
  file_upload: 'file',
};

/** Widgets that record instead: their nodes read a file just so. */
const BY_TYPE: Record<string, FileType> = { AUDIO_RECORD: 'audio', WEBCAM: 'image' };

/** Undefined: it is no file that people upload. */
export function fileTypeOf(type: unknown, extra: Record<string, unknown>): FileType | undefined {
  const flag = Object.keys(BY_FLAG).find((one) => extra[one] === true);
  if (flag !== undefined) return BY_FLAG[flag];
  return typeof type === 'string' && Object.hasOwn(BY_TYPE, type) ? BY_TYPE[type] : undefined;
}
