// What the simulation passes from node to node: sizes and what an image shows, no pixels.
// Does not distinguish latent, image and model: the node that reads a value knows its type.

export interface Value {
  /** The text of the prompt, as far as it reaches this value; painted onto images. */
  words: string;
  /** Signature of the node that made it: two images differ if and only if their keys do. */
  key: string;
  /** Signature of the sampler that it came from: what it shows, however it was passed on. Absent: none sampled it. */
  look?: string;
  /** Pixels of an image, cells of a latent. */
  width?: number;
  height?: number;
  batch?: number;
  /** Steps of a scheduler's sigmas. */
  steps?: number;
  /** Pixels per latent cell of a VAE. */
  ratio?: number;
  /** Value of a STRING output. */
  text?: string;
  /** Value of an INT output. */
  number?: number;
}
