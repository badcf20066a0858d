// What a live ComfyUI answers to a graph, without running it: its one worker is kept busy by a graph that takes long, and
// what was accepted is taken out of the queue again.

import { Buffer } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import { stringifyJson, parsePythonJson } from '../../functions/core/json.ts';
import type { Graph, ObjectInfo } from '../../functions/core/object-info.ts';
import type { AnyAnswer, Posted } from './compare.ts';
import { INPUT_FILE } from './draw.ts';

const PIXEL =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

export async function objectInfoOf(url: string): Promise<ObjectInfo> {
  const form = new FormData();
  form.set('image', new File([Buffer.from(PIXEL, 'base64')], INPUT_FILE, { type: 'image/png' }));
  form.set('overwrite', 'true');
  await fetch(`${url}/upload/image`, { method: 'POST', body: form });
  return parsePythonJson(await (await fetch(`${url}/object_info`)).text()) as ObjectInfo;
}

async function post(url: string, prompt: unknown): Promise<Posted> {
  const answer = await fetch(`${url}/prompt`, { method: 'POST', body: stringifyJson({ prompt }) });
  const text = await answer.text();
  const isJson = answer.headers.get('content-type')?.includes('json') === true;
  return { status: answer.status, body: isJson ? (parsePythonJson(text) as AnyAnswer) : null };
}

/** @param ask gets what posts a graph; everything posted is gone from the queue afterwards */
export async function whileBusy<T>(
  url: string,
  ask: (post: (graph: Graph) => Promise<Posted>) => Promise<T>,
): Promise<T> {
  const busy = await post(url, busyGraph());
  if (busy.status !== 200)
    throw new Error(`ComfyUI does not take the graph that keeps it busy: ${busy.status}`);
  try {
    return await ask((graph) => post(url, graph));
  } finally {
    await fetch(`${url}/queue`, { method: 'POST', body: '{"clear":true}' });
    await fetch(`${url}/interrupt`, { method: 'POST', body: '{}' });
  }
}

/** A minute of resizing on one core; between two nodes it can be interrupted. */
function busyGraph(): Graph {
  const scales = Array.from({ length: 80 }, (_, index): [string, Graph[string]] => [
    `scale${index}`,
    {
      class_type: 'ImageScale',
      inputs: {
        image: [index === 0 ? 'empty' : `scale${index - 1}`, 0],
        upscale_method: 'lanczos',
        width: 4000 + (index % 2),
        height: 4000,
        crop: 'disabled',
      },
    },
  ]);
  const color = parseInt(randomUUID().slice(0, 6), 16);
  return {
    empty: { class_type: 'EmptyImage', inputs: { width: 4000, height: 4000, batch_size: 1, color } },
    ...Object.fromEntries(scales),
    show: { class_type: 'PreviewImage', inputs: { images: [`scale79`, 0] } },
  };
}
