// What a ComfyUI history entry means for a job: its outputs, a failure, or a lost attempt. Pure.

import type { Failure } from './job-state.ts';
import { MAX_OUTPUTS_PER_JOB } from './limits.ts';
import { isText, type ListedFile, listedIn, type ListedText } from './listed-outputs.ts';
import { isStamped } from './names.ts';

export interface OutputFile extends Omit<ListedFile, 'isPreview'> {
  /**
   * The proof that this attempt made it: the attempt's stamp in its name, or a time of writing while ComfyUI ran this
   * prompt (ms of the GPU host's clock).
   */
  own: 'stamped' | { from: number; to: number };
}

export type Output = OutputFile | ListedText;

export type Outcome =
  | { kind: 'outputs'; outputs: Output[] }
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

/** Which node a job's error names, as it is written above; undefined: none. */
export function failedNode(
  error: string | undefined,
): { node: string; classType: string; exception: string; message: string } | undefined {
  const found = /^(\S+) \(node (\S+)\) failed: ([^\s:]+): (.*)$/s.exec(error ?? '');
  if (!found) return undefined;
  const [, classType, node, exception, message] = found as unknown as [
    string,
    string,
    string,
    string,
    string,
  ];
  return { node, classType, exception, message };
}

function successOf(entry: Entry, stamp: string): Outcome {
  const failed = (code: Failure['code'], message: string): Outcome => ({
    kind: 'failed',
    failure: { code, message: message.slice(0, 500) },
  });
  const isOurs = ({ subfolder, filename }: ListedFile) => isStamped(`${subfolder}/${filename}`, stamp);
  const listed = listedIn(entry.outputs);
  // The stamp is in the names that nodes save under: what a viewer shows of those was saved.
  const isSaved = (one: (typeof listed)[number]) => !isText(one) && (!one.isPreview || isOurs(one));
  const hasSaved = listed.some(isSaved);
  const wanted = listed.filter((one) => isText(one) || !hasSaved || isSaved(one));
  if (wanted.length === 0)
    return failed(
      'no_output',
      'The workflow ended without an output: no node listed a file that it saved, a preview or a text',
    );
  if (wanted.length > MAX_OUTPUTS_PER_JOB)
    return failed(
      'too_many_outputs',
      `The workflow has ${wanted.length} outputs; a job may have ${MAX_OUTPUTS_PER_JOB}`,
    );
  const cached = new Set(cachedNodes(entry));
  const run = runOf(entry);
  const outputs: Output[] = [];
  for (const one of wanted) {
    if (isText(one)) {
      outputs.push(one);
      continue;
    }
    const { isPreview: _, ...file } = one;
    if (isOurs(one)) outputs.push({ ...file, own: 'stamped' });
    else if (!cached.has(file.node) && run) outputs.push({ ...file, own: run });
    else
      return failed(
        'output_not_own',
        `Node ${file.node} reported a file of an earlier run: ${file.filename}`,
      );
  }
  return { kind: 'outputs', outputs };
}

function cachedNodes({ status }: Entry): string[] {
  const nodes = status.messages.find(([type]) => type === 'execution_cached')?.[1]['nodes'];
  return Array.isArray(nodes) ? nodes.map(String) : [];
}

/** When ComfyUI ran it, ms of the GPU host's clock. Undefined: it never started, or gives no times. */
export function runOf({ status }: Entry): { from: number; to: number } | undefined {
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
