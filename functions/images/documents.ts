// The small gzipped documents that lie in the bucket beside the images: what a host's ComfyUI has, by its hash, and
// graphs too large for the table.

import { createHash } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import { parseJson, stringifyJson } from '../core/json.ts';
import { keys } from '../core/names.ts';
import type { Graph, Inventory } from '../core/object-info.ts';
import { type JobRequest, unpackGraph } from '../core/request.ts';
import type { Images } from './images.ts';

/** The hash by which it is found again. */
export async function storeInventory(images: Images, inventory: Inventory): Promise<string> {
  // A ComfyUI's numbers go up to 2⁶⁴ − 1.
  const json = stringifyJson(inventory);
  const hash = createHash('sha256').update(json).digest('hex');
  await images.putOnce(keys.inventory(hash), gzipSync(json), { contentType: 'application/gzip' });
  return hash;
}

export async function readInventory(images: Images, hash: string): Promise<Inventory | undefined> {
  const packed = await readWhole(images, keys.inventory(hash));
  return packed && (parseJson(gunzipSync(packed).toString('utf8')) as Inventory);
}

/** The graph of a job, wherever it lies; undefined when it is gone. */
export async function readGraph(images: Images, request: JobRequest): Promise<Graph | undefined> {
  const packed =
    request.graph ?? (request.graphKey === undefined ? undefined : await readWhole(images, request.graphKey));
  return packed && unpackGraph(packed);
}

async function readWhole(images: Images, key: string): Promise<Uint8Array | undefined> {
  const stored = await images.get(key);
  if (!stored || stored === 'not-modified') return undefined;
  return new Uint8Array(await new Response(stored.body).arrayBuffer());
}
