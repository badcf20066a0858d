// File names as ComfyUI's loaders read them: below its input folder, or below the folder that stands behind the name
// ("x.png [output]"). Source: folder_paths.py of 0.33.0; older versions read `../../x` too.

export type Folder = 'input' | 'output' | 'temp';

/** Is this file there? @param path below the folder, with slashes */
export type HasFile = (folder: Folder, path: string) => boolean;

const ANNOTATIONS: Folder[] = ['output', 'input', 'temp'];

/** Undefined: it leaves ComfyUI's folders. A whole path may point into them, but only the host could know. */
export function fileOf(name: string): { folder: Folder; path: string } | undefined {
  const folder = ANNOTATIONS.find((one) => name.endsWith(`[${one}]`));
  // ComfyUI drops the character before the bracket, whatever it is.
  const path = folder === undefined ? name : name.slice(0, -(folder.length + 3));
  if (/^[/\\]|^[A-Za-z]:|\0/.test(path)) return undefined;
  const steps: string[] = [];
  for (const step of path.split(/[/\\]/)) {
    if (step === '..' && steps.pop() === undefined) return undefined;
    if (!['', '.', '..'].includes(step)) steps.push(step);
  }
  return { folder: folder ?? 'input', path: steps.join('/') };
}

/** As `exists_annotated_filepath` answers: the folder itself exists too. */
export function existsFile(name: string, hasFile: HasFile): boolean {
  const file = fileOf(name);
  return file !== undefined && (file.path === '' || hasFile(file.folder, file.path));
}
