// Classes that ComfyUI 0.33 replaces in a graph before it validates it, and GET /node_replacements. Read in
// app/node_replace_manager.py and comfy_extras/nodes_replacements.py of 0.33.0.
// A class that exists is not replaced, nor is one whose replacement does not exist.
import type { Catalogue } from './catalogue.ts';
import { isRecord } from './graph.ts';
import { keyError, PythonError } from './python-text.ts';

interface Replacement {
  new_node_id: string;
  old_node_id: string;
  old_widget_ids: null;
  input_mapping: { new_id: string; old_id: string }[] | null;
  output_mapping: null;
}

/** Replacements whose old class no ComfyUI of this version has. */
const replacements = Object.fromEntries(
  [
    ['T2IAdapterLoader', 'ControlNetLoader', [{ new_id: 'control_net_name', old_id: 't2i_adapter_name' }]],
    ['Load3DAnimation', 'Load3D', null],
    ['Preview3DAnimation', 'Preview3D', null],
    ['SDV_img2vid_Conditioning', 'SVD_img2vid_Conditioning', null],
    ['ConditioningAverage ', 'ConditioningAverage', null],
  ].map((row) => {
    const [old_node_id, new_node_id, input_mapping] = row as [string, string, Replacement['input_mapping']];
    const one: Replacement = {
      new_node_id,
      old_node_id,
      old_widget_ids: null,
      input_mapping,
      output_mapping: null,
    };
    return [old_node_id, [one]];
  }),
);

export const nodeReplacements = (): Record<string, Replacement[]> => replacements;

/** Replaces in place. Throws PythonError where ComfyUI fails with a 500. */
export function replaceNodes(prompt: unknown, catalogue: Catalogue): void {
  if (!isRecord(prompt)) throw new PythonError('AttributeError', "the prompt has no attribute 'items'");
  for (const [id, node] of Object.entries(prompt)) {
    if (typeof node === 'number' || typeof node === 'boolean' || node === null)
      throw new PythonError('TypeError', 'argument is not iterable');
    if (!isRecord(node) || !isRecord(node['inputs'])) continue;
    const { class_type: old, inputs } = node;
    const [replacement] =
      (typeof old === 'string' && Object.hasOwn(replacements, old) && replacements[old]) || [];
    if (replacement === undefined || catalogue.node(old as string) !== undefined) continue;
    if (catalogue.node(replacement.new_node_id) === undefined) continue;
    if (!isRecord(node['_meta'])) throw keyError('_meta');
    const mapped = (replacement.input_mapping ?? []).map(({ new_id, old_id }): [string, unknown] => {
      if (!Object.hasOwn(inputs, old_id)) throw keyError(old_id);
      return [new_id, inputs[old_id]];
    });
    prompt[id] = { ...node, class_type: replacement.new_node_id, inputs: Object.fromEntries(mapped) };
  }
}
