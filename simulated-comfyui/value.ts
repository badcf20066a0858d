// Owns what the simulation passes from node to node: sizes and what an image is about, no pixels.
// Refuses to tell a latent from an image or a model: the node that reads it knows what it holds.

export interface Value {
  /** The words a person typed, as far as they reach this value; painted onto images. */
  words: string;
  /** Signature of the node that made it: two images differ exactly when their keys do. */
  key: string;
  /** Pixels of an image, cells of a latent. */
  width?: number;
  height?: number;
  batch?: number;
  /** Of a scheduler's sigmas. */
  steps?: number;
  /** Pixels per latent cell, of a VAE. */
  ratio?: number;
  /** Of a STRING output. */
  text?: string;
  /** Of an INT output. */
  number?: number;
}
