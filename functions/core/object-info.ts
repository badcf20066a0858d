// Reads ComfyUI's `GET /object_info`: which nodes there are and which values their lists allow.
// Two spellings of a list are in use: [["a","b"], {…}] and ["COMBO", {"options": ["a","b"]}].

/** Node class → its inputs; only what is read here is described. */
export type ObjectInfo = Record<
  string,
  {
    input?: { required?: Record<string, unknown>; optional?: Record<string, unknown> };
    output_node?: boolean;
  }
>;

export interface GraphNode {
  class_type: string;
  inputs: Record<string, unknown>;
  _meta?: { title?: string };
}
/** ComfyUI's "prompt graph": node id → node. A link is `[node id, output index]`. */
export type Graph = Record<string, GraphNode>;

/** The allowed values of a list input; undefined where the node or field is unknown or is no list. */
export function optionsOf(info: ObjectInfo, classType: string, field: string): string[] | undefined {
  const input = info[classType]?.input;
  const declared = input?.required?.[field] ?? input?.optional?.[field];
  if (!Array.isArray(declared)) return undefined;
  const [type, extra] = declared as [unknown, { options?: unknown } | undefined];
  const list = Array.isArray(type) ? type : type === 'COMBO' ? extra?.options : undefined;
  return Array.isArray(list) ? list.map(String) : undefined;
}

/** Files are staged by the host right before they are needed: their list says nothing in advance. */
function takesUploads(info: ObjectInfo, classType: string, field: string): boolean {
  const declared = info[classType]?.input?.required?.[field];
  const extra = Array.isArray(declared) ? (declared[1] as { image_upload?: boolean } | undefined) : undefined;
  return extra?.image_upload === true;
}

export interface Lack {
  node: string;
  classType: string;
  /** Absent when the class itself is unknown. */
  field?: string;
  value?: string;
}

/** What a ComfyUI with these nodes and files does not have of what `graph` asks for. */
export function lacks(graph: Graph, info: ObjectInfo): Lack[] {
  return Object.entries(graph).flatMap(([node, { class_type: classType, inputs }]): Lack[] => {
    if (!info[classType]) return [{ node, classType }];
    return Object.entries(inputs).flatMap(([field, value]) => {
      const options = optionsOf(info, classType, field);
      if (!options || Array.isArray(value) || takesUploads(info, classType, field)) return [];
      return options.includes(String(value)) ? [] : [{ node, classType, field, value: String(value) }];
    });
  });
}

/** The model files that a graph names: list values that look like files. */
export function modelsOf(graph: Graph): string[] {
  const names = Object.values(graph).flatMap(({ inputs }) =>
    Object.values(inputs).filter(
      (value): value is string =>
        typeof value === 'string' && /\.(safetensors|ckpt|pt|pth|bin|gguf|sft)$/i.test(value),
    ),
  );
  return [...new Set(names)].sort();
}

/** What one ComfyUI has. */
export interface Inventory {
  nodes: ObjectInfo;
  /** Folder → file names. */
  models: Record<string, string[]>;
}
