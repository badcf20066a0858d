// What kind of workflow file this is, and what is in it: an API export, a canvas file, one for ComfyUI's app mode, or a
// picture that ComfyUI saved. Of a stranger's file: bounded, and refused with a reason.

import { parsePythonJson } from '../json.ts';
import { MAX_WORKFLOW_FILE_BYTES } from '../limits.ts';
import type { Graph } from '../object-info.ts';
import { misshapen, unreadableIn } from '../preflight/shape.ts';
import { isRecord, recordOf } from '../json-value.ts';
import { type Canvas, isCanvas, listOf, readCanvas } from './canvas.ts';
import { unstamp } from '../render.ts';
import { unreadable } from './fault.ts';
import { isPicture, type Texts, textsOf } from './picture-texts.ts';

export type FileKind = 'api' | 'canvas' | 'app' | 'picture';

/** At least one of the two: a picture has both. */
export interface WorkflowFile {
  kind: FileKind;
  graph?: Graph;
  canvas?: Canvas;
}

const EXPORT = 'export it in ComfyUI with File > Export (API), or save the canvas with File > Export';

/** @throws UnreadableFile */
export function readWorkflowFile(bytes: Uint8Array): WorkflowFile {
  if (bytes.length > MAX_WORKFLOW_FILE_BYTES)
    throw unreadable(
      'too_large',
      `The file has ${bytes.length} bytes; ${MAX_WORKFLOW_FILE_BYTES} are allowed`,
    );
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return isPicture(buffer) ? ofPicture(buffer) : ofJson(buffer);
}

function ofJson(bytes: Buffer): WorkflowFile {
  // Some editors write a mark of the byte order.
  const value = parsed(bytes.toString('utf8').replace(/^\uFEFF/, ''), 'The file');
  if (isCanvas(value)) {
    const canvas = readCanvas(value);
    return { kind: hasForm(canvas) ? 'app' : 'canvas', canvas };
  }
  return { kind: 'api', graph: graphOf(value) };
}

function ofPicture(bytes: Buffer): WorkflowFile {
  const { texts, graph, workflow } = writtenIn(bytes);
  if (graph === undefined && !isCanvas(workflow))
    throw unreadable(
      'no_workflow',
      texts.has('parameters')
        ? `The picture comes from another program (its metadata is "parameters"), and has no graph; ${EXPORT}`
        : `The picture has no graph in it: only a PNG or WebP that ComfyUI saved with its metadata has one; ${EXPORT}`,
    );
  return {
    kind: 'picture',
    ...(graph && { graph }),
    ...(isCanvas(workflow) && { canvas: readCanvas(workflow) }),
  };
}

/** What ComfyUI wrote into a picture. @throws UnreadableFile */
export function writtenIn(bytes: Buffer): { texts: Texts; graph?: Graph; workflow: unknown } {
  const texts = textsOf(bytes, MAX_WORKFLOW_FILE_BYTES);
  const [prompt, workflow] = ['prompt', 'workflow'].map((name) => {
    const text = texts.get(name);
    return text === undefined ? undefined : parsed(text, `The picture's "${name}"`);
  });
  return { texts, ...(prompt !== undefined && { graph: graphOf(prompt) }), workflow };
}

function parsed(text: string, what: string): unknown {
  let value: unknown;
  try {
    value = parsePythonJson(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw unreadable('unreadable', `${what} is no JSON (${error.message.slice(0, 100)}); ${EXPORT}`);
  }
  const odd = unreadableIn(value);
  if (odd) throw unreadable('unreadable', `${odd.message}; ${odd.details || EXPORT}`);
  return value;
}

/** Without what ComfyUI adds when it runs a graph, and without what a job adds. A body of `POST /prompt` has its graph inside. */
function graphOf(value: unknown): Graph {
  const inner =
    isRecord(value) && isRecord(value['prompt']) && !('class_type' in value['prompt'])
      ? value['prompt']
      : value;
  const odd = misshapen(inner);
  const nodes = Object.entries(recordOf(inner));
  if (odd || nodes.length === 0 || nodes.some(([, node]) => typeof recordOf(node)['class_type'] !== 'string'))
    throw unreadable(
      'no_workflow',
      `The file is no workflow of ComfyUI${odd ? ` (${odd.message})` : ''}; ${EXPORT}`,
    );
  const plain = nodes.map(([id, node]) => {
    const { class_type: classType, inputs, _meta: meta } = node as Graph[string];
    const title = meta?.title;
    return [
      id,
      {
        class_type: classType,
        inputs: recordOf(inputs),
        ...(typeof title === 'string' && { _meta: { title } }),
      },
    ] as const;
  });
  return unstamp(Object.fromEntries(plain));
}

function hasForm({ extra }: Canvas): boolean {
  return listOf(recordOf(extra['linearData'])['inputs']).length > 0;
}
