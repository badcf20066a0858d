// Node classes that ComfyUI itself replaces in a posted graph, where it has no such class any more. Source:
// comfy_extras/nodes_replacements.py of 0.33.0 (`GET /node_replacements`).

export interface Replacement {
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

/** What ComfyUI puts in place of `classType`; undefined: it leaves it. @param info its node classes */
export function replacementOf(classType: string, info: Record<string, unknown>): Replacement | undefined {
  if (Object.hasOwn(info, classType) || !Object.hasOwn(REPLACED, classType)) return undefined;
  const replacement = REPLACED[classType]!;
  return Object.hasOwn(info, replacement.by) ? replacement : undefined;
}
