// What a ComfyUI history entry means for a job: images, a failure, or a lost attempt. Pure.

import type { Failure } from './job-state.ts';
import { MAX_IMAGES_PER_JOB } from './limits.ts';
import { isStamped } from './names.ts';

export interface OutputImage {
  node: string;
  filename: string;
  subfolder: string;
  type: string;
  /**
   * The proof that this attempt made it: the attempt's stamp in its name, or a time of writing while ComfyUI ran this
   * prompt (ms of the GPU host's clock).
   */
  own: 'stamped' | { from: number; to: number };
}

export type Outcome =
  | { kind: 'images'; images: OutputImage[]; notes: string[] }
  | { kind: 'failed'; failure: Failure }
  /** The machine's fault: the job may run again. */
  | { kind: 'lost'; reason: string };

interface Entry {
  outputs: Record<string, Record<string, unknown> | null>;
  status: { status_str: string; messages: [string, Record<string, unknown>][] };
}

/** @param entry of `GET /history`; @param stamp of the attempt, from `stampOf` in names.ts */
export function outcomeOf(entry: Entry, stamp: string): Outcome {
  const { status_str: status, messages } = entry.status;
  if (status === 'success') return successOf(entry, stamp);
  const error = messages.find(([type]) => type === 'execution_error')?.[1];
  if (!error) return { kind: 'lost', reason: 'it was interrupted on the GPU host' };
  const node = `${text(error['node_type'])} (node ${text(error['node_id'])})`;
  const what = `${text(error['exception_type'])}: ${text(error['exception_message'])}`;
  return {
    kind: 'failed',
    failure: { code: 'node_failed', message: `${node} failed: ${withoutPaths(what).trim()}`.slice(0, 500) },
  };
}

function successOf(entry: Entry, stamp: string): Outcome {
  const failed = (code: Failure['code'], message: string): Outcome => ({
    kind: 'failed',
    failure: { code, message: message.slice(0, 500) },
  });
  const files = filesOf(entry.outputs);
  const images = files.filter(({ filename }) => IMAGE.test(filename));
  const others = files.filter(({ filename }) => !IMAGE.test(filename));
  const notes = others.slice(0, MAX_NOTES).map(({ node, filename }) => notPublished(node, filename));
  if (others.length > MAX_NOTES) notes.push(`${others.length - MAX_NOTES} more files are not published`);
  if (images.length === 0)
    return failed(
      'no_output',
      ['The workflow ended without saving a PNG, JPEG or WebP image', ...notes].join('; '),
    );
  if (images.length > MAX_IMAGES_PER_JOB)
    return failed(
      'too_many_outputs',
      `The workflow saved ${images.length} images; a job may have ${MAX_IMAGES_PER_JOB}`,
    );
  const cached = new Set(cachedNodes(entry));
  const run = runOf(entry);
  const own: OutputImage[] = [];
  for (const file of images) {
    if (isStamped(`${file.subfolder}/${file.filename}`, stamp)) own.push({ ...file, own: 'stamped' });
    else if (!cached.has(file.node) && run) own.push({ ...file, own: run });
    else
      return failed(
        'output_not_own',
        `Node ${file.node} reported a file of an earlier run: ${file.filename}`,
      );
  }
  return { kind: 'images', images: own, notes };
}

const MAX_NOTES = 10;

function notPublished(node: string, filename: string): string {
  return `${filename.slice(0, 100)} of node ${node} is not published: it is no PNG, JPEG or WebP image`;
}

function cachedNodes({ status }: Entry): string[] {
  const nodes = status.messages.find(([type]) => type === 'execution_cached')?.[1]['nodes'];
  return Array.isArray(nodes) ? nodes.map(String) : [];
}

/** When ComfyUI ran it, ms. */
function runOf({ status }: Entry): { from: number; to: number } | undefined {
  const times = status.messages.flatMap(([type, { timestamp }]) =>
    typeof timestamp === 'number' ? [{ type, timestamp }] : [],
  );
  const start = times.find(({ type }) => type === 'execution_start');
  return start && { from: start.timestamp, to: times.at(-1)!.timestamp };
}

/** Running time by ComfyUI's own timestamps, ms. Undefined: it gives none, or it never started. */
export function ranFor(entry: Entry): number | undefined {
  const run = runOf(entry);
  return run && Math.max(0, run.to - run.from);
}

/** Published formats: ComfyUI lists saved videos under `images` as well. */
const IMAGE = /\.(png|jpe?g|webp)$/i;

type SavedFile = Omit<OutputImage, 'own'>;

/**
 * Saved files under any key of a node's output, without `temp` (previews) and `input` files. An entry without a type is an
 * output, as in ComfyUI's own `/view`. Ordered by node id, since the order of ComfyUI's answers changes with each of its
 * starts.
 */
export function filesOf(outputs: Entry['outputs']): SavedFile[] {
  const nodes = Object.entries(outputs).sort(([a], [b]) => byNode(a, b));
  return nodes.flatMap(([node, output]) =>
    Object.entries(output ?? {}).flatMap(([, shown]) =>
      (Array.isArray(shown) ? (shown as (Partial<SavedFile> | null)[]) : []).flatMap((file): SavedFile[] => {
        if (typeof file !== 'object' || file === null) return [];
        const { filename, subfolder, type = 'output' } = file;
        return typeof filename === 'string' && type === 'output'
          ? [{ node, filename, subfolder: typeof subfolder === 'string' ? subfolder : '', type }]
          : [];
      }),
    ),
  );
}

/** `9` before `12:6` before `12:10`. */
function byNode(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true }) || (a < b ? -1 : 1);
}

function text(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : 'unknown';
}

/** Keeps only the last part of each path, so that callers learn nothing of the host's folders. */
export function withoutPaths(message: string): string {
  return (
    message
      // Within quotes a path may have blanks.
      .replaceAll(/(['"`])((?:file:\/\/)?(?:\/|[A-Za-z]:[\\/]|\\\\)[^'"`\n]*)\1/g, (_, quote, path) =>
        [quote, lastOf(String(path)), quote].join(''),
      )
      .replaceAll(/file:\/\/[^\s'"`;,()<>]*/g, lastOf)
      .replaceAll(/\\\\[^\s'"`:;,()<>\\]+(?:\\[^\s'"`:;,()<>\\]*)+/g, lastOf)
      // Outside of quotes only folders may have some, between two slashes.
      .replaceAll(
        /\b[A-Za-z]:[\\/](?:[^\s\\/'"`:;,()<>]+(?: [^\s\\/'"`:;,()<>]+){0,4}[\\/])*[^\s\\/'"`:;,()<>]*/g,
        lastOf,
      )
      .replaceAll(
        /(?<![\w/.])\/(?:[^\s/'"`:;,()<>]+(?: [^\s/'"`:;,()<>]+){0,4}\/)+[^\s/'"`:;,()<>]*/g,
        lastOf,
      )
  );
}

function lastOf(path: string): string {
  return /[^\\/]*[\\/]*$/.exec(path)![0].replaceAll(/[\\/]/g, '');
}
