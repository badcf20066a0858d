// The size of a node's result: ComfyUI's own arithmetic, node by node.
// A node that is not listed passes on the size of its input.
import { roundHalfEven } from './python-text.ts';
import type { Value } from './value.ts';

export type Inputs = Record<string, unknown>;
export interface Size {
  width: number;
  height: number;
  batch: number;
}

export const numberOf = (value: unknown, otherwise = 0): number => {
  if (typeof value === 'number') return value;
  return (value as Partial<Value> | null | undefined)?.number ?? otherwise;
};

export const valueOf = (value: unknown): Value | undefined =>
  typeof value === 'object' && value !== null && 'key' in value ? (value as Value) : undefined;

const sized = (value: unknown): Size | undefined => {
  const { width, height, batch } = valueOf(value) ?? {};
  return width === undefined || height === undefined ? undefined : { width, height, batch: batch ?? 1 };
};

const nothing: Size = { width: 64, height: 64, batch: 1 };
const empty = (inputs: Inputs, cell: number): Size => ({
  width: Math.floor(numberOf(inputs['width']) / cell),
  height: Math.floor(numberOf(inputs['height']) / cell),
  batch: numberOf(inputs['batch_size'], 1),
});
const scaled = (from: Size, by: number): Size => ({
  ...from,
  width: roundHalfEven(from.width * by),
  height: roundHalfEven(from.height * by),
});
const ratio = (vae: unknown) => valueOf(vae)?.ratio ?? 8;

const bySize: Record<string, (inputs: Inputs, from: Size) => Size> = {
  EmptyImage: (inputs) => empty(inputs, 1),
  EmptyLatentImage: (inputs) => empty(inputs, 8),
  EmptyFlux2LatentImage: (inputs) => empty(inputs, 16),
  VAEDecode: ({ vae }, from) => ({
    ...from,
    width: from.width * ratio(vae),
    height: from.height * ratio(vae),
  }),
  // The VAE crops what does not fill a cell.
  VAEEncode: ({ vae }, from) => ({
    ...from,
    width: Math.floor(from.width / ratio(vae)),
    height: Math.floor(from.height / ratio(vae)),
  }),
  ImageScaleBy: (inputs, from) => scaled(from, numberOf(inputs['scale_by'], 1)),
  LatentUpscaleBy: (inputs, from) => scaled(from, numberOf(inputs['scale_by'], 1)),
  ImageScaleToTotalPixels: (inputs, from) => {
    const step = numberOf(inputs['resolution_steps'], 1);
    const by = Math.sqrt((numberOf(inputs['megapixels'], 1) * 1024 * 1024) / (from.width * from.height));
    return {
      ...from,
      width: roundHalfEven((from.width * by) / step) * step,
      height: roundHalfEven((from.height * by) / step) * step,
    };
  },
};

/** Inputs from which a node with several sized inputs takes its size, in this order. */
const leading = ['latent_image', 'samples', 'pixels', 'image', 'images'];

export function sizeOf(className: string, inputs: Inputs): Size {
  const candidates = [...leading.map((name) => inputs[name]), ...Object.values(inputs)];
  const from = candidates.map(sized).find((size) => size !== undefined) ?? nothing;
  return bySize[className]?.(inputs, from) ?? from;
}
