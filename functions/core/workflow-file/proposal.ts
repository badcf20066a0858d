// A workflow file, made ready to be added: its graph, the inputs that are proposed for it, what else could be set, and what
// stands in the way. Pure: the file's bytes and what ComfyUI has come in.

import { parseTarget } from '../inputs-file.ts';
import { type Graph, modelsOf, type ObjectInfo } from '../object-info.ts';
import { recordOf } from '../json-value.ts';
import { type Canvas, listOf } from './canvas.ts';
import { type Candidate, candidatesOf, inWords } from './candidates.ts';
import { convert, type Field } from './convert.ts';
import type { FileFault } from './fault.ts';
import { named, type Named, type ProposedFile, proposedFile } from './propose.ts';
import { type FileKind, readWorkflowFile } from './read.ts';

export interface Proposal {
  kind: FileKind;
  /** What the graph calls what it saves, for people. */
  title?: string;
  graph: Graph;
  file: ProposedFile;
  candidates: Named[];
  faults: FileFault[];
  notes: string[];
  /** The model files that the graph names. */
  models: string[];
}

/**
 * @param title of the workflow, if a person has given one
 * @throws UnreadableFile where no graph comes of it
 */
export function proposalOf(bytes: Uint8Array, info: ObjectInfo, title?: string): Proposal {
  const { kind, graph: exported, canvas } = readWorkflowFile(bytes);
  // What ran is surer than what is drawn: a picture's graph needs no conversion.
  const converted = exported || !canvas ? undefined : convert(canvas, info);
  const graph = exported ?? converted!.graph;
  const candidates = candidatesOf(graph, info, converted?.fields);
  const form = canvas ? formOf(canvas, candidates, converted?.fields ?? []) : { found: [], notes: [] };
  const all = named(graph, candidates, form.found);
  const saved = savedTitle(graph);
  return {
    kind,
    ...(saved !== undefined && { title: saved }),
    graph,
    file: proposedFile(title ?? saved ?? 'Workflow', all),
    candidates: all,
    faults: converted?.faults ?? [],
    notes: [...(converted?.notes ?? []), ...form.notes],
    models: modelsOf(graph),
  };
}

/** Of the prefix of a file's name: its last part, without what ComfyUI fills in (`%date:yyyy%`). ComfyUI's own says nothing. */
function savedTitle(graph: Graph): string | undefined {
  for (const { inputs } of Object.values(graph)) {
    const prefix = inputs['filename_prefix'];
    if (typeof prefix !== 'string') continue;
    const [last = ''] = prefix
      .replaceAll(/%[^%]*%/g, '')
      .split(/[\\/]/)
      .slice(-1);
    const words = inWords(last.replaceAll(/^[-_.\s]+|[-_.\s]+$/g, ''));
    if (/\p{L}/u.test(words) && !/^comfyui$/i.test(words)) return words.slice(0, MAX_TITLE);
  }
  return undefined;
}

const MAX_TITLE = 100;

/** What the app's form shows, in its order: pairs of a node's id and a widget's name. */
function formOf(
  { extra, nodes }: Canvas,
  candidates: readonly Candidate[],
  fields: readonly Field[],
): { found: Candidate[]; notes: string[] } {
  const notes: string[] = [];
  const found = listOf(recordOf(extra['linearData'])['inputs']).flatMap((entry) => {
    const [id = '', name = ''] = listOf(entry).map(String);
    // Newer files write the graph's id, the node's and the input's into one.
    const node = /^[\da-f-]{36}:(.+):[^:]+$/.exec(id)?.[1] ?? id;
    const is = (other: string) => other === node || (!nodes.has(node) && other.endsWith(`:${node}`));
    const set = fields.filter((field) => is(field.node) && field.name === name).flatMap(({ to }) => to);
    const wanted = new Set(set.map((one) => `${one.node}.${one.field}`));
    const candidate = candidates.find(({ to }) =>
      to.some((one) => wanted.has(one) || (is(parseTarget(one).node) && parseTarget(one).field === name)),
    );
    if (!candidate) notes.push(`The app's form shows "${name}" of node ${node}, which callers cannot set`);
    return candidate ?? [];
  });
  return { found: [...new Set(found)], notes };
}
