// What ComfyUI's history entry means for a job: its images, its failure, or that the attempt was lost.

import type { Failure } from './job.ts';

export interface OutputImage {
  node: string;
  filename: string;
  subfolder: string;
  type: string;
}

export type Outcome =
  | { kind: 'images'; images: OutputImage[] }
  | { kind: 'failed'; failure: Failure }
  /** Nobody's fault but the machine's: it may run again. */
  | { kind: 'lost'; reason: string };

interface Entry {
  outputs: Record<string, Record<string, unknown>>;
  status: { status_str: string; messages: [string, Record<string, unknown>][] };
}

export function outcomeOf(entry: Entry): Outcome {
  const { status_str: status, messages } = entry.status;
  if (status === 'success') {
    const images = imagesOf(entry.outputs);
    if (images.length > 0) return { kind: 'images', images };
    return {
      kind: 'failed',
      failure: { code: 'no_output', message: 'The workflow ended without saving a PNG, JPEG or WebP image' },
    };
  }
  const error = messages.find(([type]) => type === 'execution_error')?.[1];
  if (!error) return { kind: 'lost', reason: 'it was interrupted on the GPU host' };
  const node = `${text(error['node_type'])} (node ${text(error['node_id'])})`;
  const what = `${text(error['exception_type'])}: ${text(error['exception_message'])}`;
  return {
    kind: 'failed',
    failure: { code: 'node_failed', message: `${node} failed: ${withoutPaths(what).trim()}`.slice(0, 500) },
  };
}

/** How long ComfyUI says that it worked on it, ms. Undefined: it does not say, or never began. */
export function ranFor({ status }: Entry): number | undefined {
  const times = status.messages.flatMap(([type, { timestamp }]) =>
    typeof timestamp === 'number' ? [{ type, timestamp }] : [],
  );
  const start = times.find(({ type }) => type === 'execution_start');
  return start && Math.max(0, times.at(-1)!.timestamp - start.timestamp);
}

/** What is published; ComfyUI lists a video that was saved under `images` as well. */
const IMAGE = /\.(png|jpe?g|webp)$/i;

/** Only what was saved: `temp` files are previews, `input` files are somebody's own. */
function imagesOf(outputs: Entry['outputs']): OutputImage[] {
  return Object.entries(outputs).flatMap(([node, output]) => {
    const files = Array.isArray(output['images']) ? (output['images'] as Partial<OutputImage>[]) : [];
    return files.flatMap(({ filename, subfolder, type }) =>
      typeof filename === 'string' && IMAGE.test(filename) && type === 'output'
        ? [{ node, filename, subfolder: subfolder ?? '', type }]
        : [],
    );
  });
}

function text(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : 'unknown';
}

/** Paths of the GPU host are nobody's business: only the last part of each is kept. */
export function withoutPaths(message: string): string {
  return message
    .replaceAll(/(?<![\w/.:])(?:\/[^\s/'"`:;,()<>]+)+\/([^\s/'"`:;,()<>]*)/g, '$1')
    .replaceAll(/\b[A-Za-z]:\\(?:[^\s\\'"`:;,()<>]+\\)*([^\s\\'"`:;,()<>]*)/g, '$1');
}
