// What a running job shows and no table keeps: previews, for those who listen at the moment. Only within one process.

/** An unfinished image. */
export interface Preview {
  /** The node that makes it; a ComfyUI of old does not say which. */
  node: string | undefined;
  type: 'image/jpeg' | 'image/png';
  image: Uint8Array;
  /** Of that node, as far as ComfyUI has said it. */
  step: Step | undefined;
}

/** From 1. */
export interface Step {
  current: number;
  total: number;
}

/** As JSON has it. */
export const base64Of = ({ image }: Pick<Preview, 'image'>): string =>
  Buffer.from(image.buffer, image.byteOffset, image.byteLength).toString('base64');

export interface Live {
  /** Whether anyone listens to the job. */
  isHeard(jobId: string): boolean;
  show(jobId: string, preview: Preview): void;
  /** @returns ends it */
  listen(jobId: string, listener: (preview: Preview) => void): () => void;
}

export function createLive(): Live {
  const listeners = new Map<string, Set<(preview: Preview) => void>>();
  return {
    isHeard: (jobId) => listeners.has(jobId),
    show(jobId, preview) {
      for (const listener of listeners.get(jobId) ?? []) listener(preview);
    },
    listen(jobId, listener) {
      const same = listeners.get(jobId) ?? new Set();
      listeners.set(jobId, same.add(listener));
      return () => {
        same.delete(listener);
        if (same.size === 0 && listeners.get(jobId) === same) listeners.delete(jobId);
      };
    },
  };
}
