// Owns the small graphs that tests of the simulation submit.
type Node = { class_type: string; inputs: Record<string, unknown> };
export type TestGraph = Record<string, Node>;

const node = (class_type: string, inputs: Record<string, unknown>): Node => ({ class_type, inputs });

export const save = (from: string, filename_prefix = 'T'): Node =>
  node('SaveImage', { images: [from, 0], filename_prefix });
export const emptyImage = (color = 0, width = 64, height = 64, batch_size = 1): Node =>
  node('EmptyImage', { width, height, batch_size, color });

export const plainGraph = (color = 0, prefix = 'T', width = 64, height = 64, batch = 1): TestGraph => ({
  1: emptyImage(color, width, height, batch),
  2: save('1', prefix),
});

export const slowGraph = (ms: number, seed = 1): TestGraph => ({
  1: emptyImage(seed),
  2: node('LabSlowImage', { image: ['1', 0], ms, seed }),
  3: save('2'),
});

/** An image through more nodes: [class, inputs without the image]. */
export function chain(first: Node, ...steps: [string, Record<string, unknown>][]): TestGraph {
  const graph: TestGraph = { 1: first };
  for (const [index, [name, inputs]] of steps.entries())
    graph[index + 2] = node(name, { image: [String(index + 1), 0], ...inputs });
  graph[steps.length + 2] = save(String(steps.length + 1));
  return graph;
}

export const flux = (seed: number, text: string, size = 256, steps = 2): TestGraph => ({
  1: node('UNETLoader', { unet_name: 'flux2_dev_fp8mixed.safetensors', weight_dtype: 'default' }),
  2: node('CLIPLoader', { clip_name: 'mistral_3_small_flux2_fp8.safetensors', type: 'flux2' }),
  4: node('CLIPTextEncode', { text, clip: ['2', 0] }),
  5: node('CLIPTextEncode', { text: '', clip: ['2', 0] }),
  7: node('EmptyFlux2LatentImage', { width: size, height: size, batch_size: 1 }),
  8: sampler('1', '4', '5', '7', seed, steps),
  9: node('VAELoader', { vae_name: 'flux2-vae.safetensors' }),
  10: node('VAEDecode', { samples: ['8', 0], vae: ['9', 0] }),
  11: save('10'),
});

function sampler(
  model: string,
  positive: string,
  negative: string,
  latent: string,
  seed: number,
  steps: number,
) {
  return node('KSampler', {
    model: [model, 0],
    positive: [positive, 0],
    negative: [negative, 0],
    latent_image: [latent, 0],
    seed,
    steps,
    cfg: 1,
    sampler_name: 'euler',
    scheduler: 'simple',
    denoise: 1,
  });
}

/** As the upscale workflow: decoded, scaled, encoded, sampled again. */
export const fluxUpscaled = (scale: number, size = 256): TestGraph => ({
  ...flux(1, 'a tower', size),
  12: node('ImageScaleBy', { image: ['10', 0], upscale_method: 'lanczos', scale_by: scale }),
  13: node('VAEEncode', { pixels: ['12', 0], vae: ['9', 0] }),
  14: sampler('1', '4', '5', '13', 1, 2),
  15: node('VAEDecode', { samples: ['14', 0], vae: ['9', 0] }),
  11: save('15'),
});

export const loadImage = (image: string): Node => node('LoadImage', { image });
