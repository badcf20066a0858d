// What a ComfyUI history entry lists as made or shown by its nodes: files under any key of a node's output, texts under
// `text`. Pure. Source: comfy_api/latest/_ui.py, nodes_save_3d.py and comfy_execution/jobs.py of 0.33.0.

export interface ListedFile {
  node: string;
  /** Of the node's output: `images`, `gifs`, `audio`, `3d`, … */
  key: string;
  filename: string;
  subfolder: string;
  type: string;
  /** Shown rather than saved: it counts only where nothing was saved. */
  isPreview: boolean;
}

export interface ListedText {
  node: string;
  key: string;
  text: string;
}

export type Listed = ListedFile | ListedText;

/** Where ComfyUI has the file: of two with the same it is one file. */
export const pathOf = ({ type, subfolder, filename }: Pick<ListedFile, 'type' | 'subfolder' | 'filename'>) =>
  [type, subfolder, filename].join('\0');

export const isText = (listed: object): listed is ListedText => 'text' in listed;

/**
 * Each file once, in the order of node ids, since the order of ComfyUI's answers changes with each of its starts. Without
 * `input` files: they were there before. Values that are neither a file nor a text are no outputs.
 */
export function listedIn(outputs: Record<string, Record<string, unknown> | null>): Listed[] {
  const nodes = Object.entries(outputs).sort(([a], [b]) => byNode(a, b));
  const seen = new Set<string>();
  return nodes
    .flatMap(([node, output]) =>
      Object.entries(output ?? {}).flatMap(([key, shown]): Listed[] =>
        key === 'text'
          ? textsIn(shown).map((text) => ({ node, key, text }))
          : (Array.isArray(shown) ? shown : []).flatMap((value) => fileOf(value, { node, key }) ?? []),
      ),
    )
    .filter((listed) => {
      if (isText(listed)) return true;
      const path = pathOf(listed);
      return !seen.has(path) && seen.add(path);
    });
}

/**
 * ComfyUI takes a text that a node returns without a list around it apart into its characters (`get_output_from_returns`
 * in execution.py): they are put together again.
 */
function textsIn(shown: unknown): string[] {
  const texts = [shown].flat(4).filter((value) => typeof value === 'string');
  return texts.length > 1 && texts.every(isCharacter) ? [texts.join('')] : texts;
}

const isCharacter = (text: string) =>
  text.length > 0 && text.length === String.fromCodePoint(text.codePointAt(0)!).length;

/** An entry without a type is an output, as in ComfyUI's own `/view`. */
function fileOf(value: unknown, at: Pick<ListedFile, 'node' | 'key'>): ListedFile | undefined {
  if (typeof value === 'string') return modelOf(value, at);
  if (typeof value !== 'object' || value === null) return undefined;
  const { filename, subfolder, type = 'output' } = value as Partial<Record<string, unknown>>;
  if (typeof filename !== 'string' || (type !== 'output' && type !== 'temp')) return undefined;
  const folder = typeof subfolder === 'string' ? subfolder : '';
  return { ...at, filename, subfolder: folder, type, isPreview: type === 'temp' };
}

/** As ComfyUI has them in `has_3d_extension`, and those of its splats and point clouds. */
const MODEL = /^([^:]*)\.(obj|fbx|gltf|glb|usdz|stl|ply|splat|spz|ksplat)$/i;

/** Viewers of 3D models list a path in the output folder instead of a file: of one that they saved, or of any other. */
function modelOf(path: string, at: Pick<ListedFile, 'node' | 'key'>): ListedFile | undefined {
  if (!MODEL.test(path) || path.startsWith('/')) return undefined;
  const parts = path.split(/[/\\]/);
  const filename = parts.pop()!;
  return { ...at, filename, subfolder: parts.join('/'), type: 'output', isPreview: true };
}

/** `9` before `12:6` before `12:10`. */
function byNode(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true }) || (a < b ? -1 : 1);
}
