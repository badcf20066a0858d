// Node classes that ComfyUI itself replaces in a posted graph: only where it has no such class any more. Source:
// comfy_extras/nodes_replacements.py and app/node_replace_manager.py of 0.33.0 (`GET /node_replacements`).

import type { Graph, GraphNode, ObjectInfo } from '../object-info.ts';
import { type Reason, refusal } from './answer.ts';

interface Replacement {
  by: string;
  /** New input → the old one whose value it gets, or a value of its own. */
  inputs?: Record<string, { from: string } | { value: unknown }>;
}

export const REPLACED: Readonly<Record<string, Replacement>> = {
  ResizeImagesByLongerEdge: {
    by: 'ImageScaleToMaxDimension',
    inputs: {
      image: { from: 'images' },
      largest_size: { from: 'longer_edge' },
      upscale_method: { value: 'lanczos' },
    },
  },
  ImageBatch: {
    by: 'BatchImagesNode',
    inputs: { 'images.image0': { from: 'image1' }, 'images.image1': { from: 'image2' } },
  },
  ImageScaleBy: {
    by: 'ResizeImageMaskNode',
    inputs: {
      input: { from: 'image' },
      resize_type: { value: 'scale by multiplier' },
      'resize_type.multiplier': { from: 'scale_by' },
      scale_method: { from: 'upscale_method' },
    },
  },
  T2IAdapterLoader: { by: 'ControlNetLoader', inputs: { control_net_name: { from: 't2i_adapter_name' } } },
  Load3DAnimation: { by: 'Load3D' },
  Preview3DAnimation: { by: 'Preview3D' },
  SDV_img2vid_Conditioning: { by: 'SVD_img2vid_Conditioning' },
  'ConditioningAverage ': { by: 'ConditioningAverage' },
};

/** The class that ComfyUI puts in place of `classType`; undefined: it leaves it. */
export function replacementOf(classType: string, info: ObjectInfo): Replacement | undefined {
  if (Object.hasOwn(info, classType) || !Object.hasOwn(REPLACED, classType)) return undefined;
  const replacement = REPLACED[classType]!;
  return Object.hasOwn(info, replacement.by) ? replacement : undefined;
}

/** The graph as ComfyUI validates it, or why it answers with 500. Without inputs of their own the new nodes have none. */
export function replace(graph: Graph, info: ObjectInfo): Graph | Reason {
  const replaced = Object.entries(graph).map(([id, node]): [string, GraphNode] | Reason => {
    const replacement =
      typeof node.class_type === 'string' && Object.hasOwn(node, 'inputs')
        ? replacementOf(node.class_type, info)
        : undefined;
    if (!replacement) return [id, node];
    const lacks = lackOf(node, replacement);
    if (lacks !== undefined)
      return refusal(
        'invalid_prompt',
        `Node '${id}' is of the class ${node.class_type}, which ComfyUI replaces by ${replacement.by}, and has no ${lacks}`,
        `add ${lacks}, or use ${replacement.by}`,
        id,
      );
    const inputs = Object.entries(replacement.inputs ?? {}).map(([name, source]): [string, unknown] => [
      name,
      'from' in source ? node.inputs[source.from] : source.value,
    ]);
    return [id, { ...node, class_type: replacement.by, inputs: Object.fromEntries(inputs) }];
  });
  const broken = replaced.find((one): one is Reason => !Array.isArray(one));
  return broken ?? Object.fromEntries(replaced as [string, GraphNode][]);
}

function lackOf(node: GraphNode, { inputs = {} }: Replacement): string | undefined {
  if (!node._meta) return '"_meta"';
  const absent = Object.values(inputs).find((one) => 'from' in one && !Object.hasOwn(node.inputs, one.from));
  return absent && 'from' in absent ? `input "${absent.from}"` : undefined;
}
