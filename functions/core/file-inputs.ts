// Which inputs of a graph name files that were uploaded for it: those of ComfyUI's own loaders, what a node declares to be
// uploaded, and a file name in place of a list's values.

import { declaredInputs } from './declared-inputs.ts';
import { type FileType, fileTypeOf } from './file-types.ts';
import { type Graph, type ObjectInfo, optionsOf } from './object-info.ts';
import { fileOf, type Folder } from './preflight/files.ts';

export interface FileInput {
  node: string;
  field: string;
  folder: Folder;
  /** Below the folder, with slashes. */
  path: string;
}

/** Of ComfyUI 0.33, where no host has said what it declares. */
const LOADERS: Record<string, { field: string; type: FileType }> = {
  LoadImage: { field: 'image', type: 'image' },
  LoadImageMask: { field: 'image', type: 'image' },
  LoadImageOutput: { field: 'image', type: 'image' },
  WebcamCapture: { field: 'image', type: 'image' },
  LoadLatent: { field: 'latent', type: 'file' },
  LoadVideo: { field: 'file', type: 'video' },
  LoadAudio: { field: 'audio', type: 'audio' },
  RecordAudio: { field: 'audio', type: 'audio' },
  Load3D: { field: 'model_file', type: 'file' },
  Load3DAdvanced: { field: 'model_file', type: 'file' },
};

/** What a loader's field takes; undefined: it is none of a loader's that is known here. */
export function loadedType(classType: string, field: string): FileType | undefined {
  const loader = Object.hasOwn(LOADERS, classType) ? LOADERS[classType] : undefined;
  return loader?.field === field ? loader.type : undefined;
}
/** With the folder that may stand behind it. */
const FILE_NAME = /\.[A-Za-z0-9]{1,12}( \[(input|output|temp)\])?$/;

/** @param hosts their nodes; of several that have a class the first declares it */
export function fileInputs(graph: Graph, hosts: readonly ObjectInfo[]): FileInput[] {
  return Object.entries(graph).flatMap(([node, { class_type: classType, inputs }]) => {
    // A target is written "node.field".
    if (node.includes('.')) return [];
    const info = hosts.find((one) => Object.hasOwn(one, classType));
    return Object.entries(inputs ?? {}).flatMap(([field, value]) => {
      if (typeof value !== 'string' || !namesFile(classType, field, value, info, inputs)) return [];
      const file = fileOf(value);
      return file && file.path !== '' ? [{ node, field, ...file }] : [];
    });
  });
}

function namesFile(
  classType: string,
  field: string,
  value: string,
  info: ObjectInfo | undefined,
  given: Record<string, unknown>,
): boolean {
  if (loadedType(classType, field)) return true;
  if (!info || !FILE_NAME.test(value)) return false;
  const { type, extra = {} } = declaredInputs(info[classType]!.input, given).get(field) ?? {};
  if (fileTypeOf(type, extra)) return true;
  return optionsOf(info, classType, field, given)?.includes(value) === false;
}

/** What the hosts' own input folders have, as far as their loaders list it. */
export function filesOfHosts(hosts: readonly ObjectInfo[]): Set<string> {
  const listed = hosts.flatMap((info) =>
    Object.entries(LOADERS).flatMap(([classType, { field }]) => optionsOf(info, classType, field) ?? []),
  );
  return new Set(listed.map(String));
}
