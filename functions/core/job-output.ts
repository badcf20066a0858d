// One published output of a job, and which of them are the guide's images. Pure.

export const OUTPUT_KINDS = ['image', 'video', 'audio', 'text', '3d', 'latent', 'file'] as const;
export type OutputKind = (typeof OUTPUT_KINDS)[number];

/** A file that the graph saved, or a text that a node showed. `filename` is this API's, not ComfyUI's; sizes in pixels and bytes. */
export interface JobOutput {
  filename: string;
  node: string;
  /** The key of the node's output under which ComfyUI lists it: `images`, `gifs`, `audio`, … Absent: `images`. */
  key?: string;
  /** Absent: an image. */
  kind?: OutputKind;
  sizeBytes: number;
  contentType: string;
  /** In hex, of the published bytes. Absent: published by an earlier release. */
  sha256?: string;
  /** Of images whose header was read. */
  width?: number;
  height?: number;
}

export type JobImage = JobOutput & Required<Pick<JobOutput, 'width' | 'height'>>;

export function kindOfOutput({ kind = 'image' }: JobOutput): OutputKind {
  return kind;
}

/** In the order of the outputs. */
export function imagesOf({ outputs = [] }: { outputs?: JobOutput[] }): JobImage[] {
  return outputs.filter((output): output is JobImage => isImage(output));
}

function isImage(output: JobOutput): boolean {
  return kindOfOutput(output) === 'image' && output.width !== undefined && output.height !== undefined;
}
