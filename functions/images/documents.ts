// Gzipped JSON documents in the images bucket: inventories of ComfyUI by their hash, and graphs too large for the table.

import { createHash } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import { parseJson, stringifyJson } from '../core/json.ts';
import { keys } from '../core/names.ts';
import type { Graph, Inventory } from '../core/object-info.ts';
import { type JobRequest, unpackGraph } from '../core/request.ts';
import type { Images } from './images.ts';

/** @returns the hash by which `readInventory` finds it */
export async function storeInventory(images: Images, inventory: Inventory): Promise<string> {
  // Its numbers go up to 2⁶⁴ − 1.
  const json = stringifyJson(inventory);
  const hash = createHash('sha256').update(json).digest('hex');
  await images.putOnce(keys.inventory(hash), gzipSync(json), { contentType: 'application/gzip' });
  return hash;
}

/** Undefined: no such document. */
export async function readInventory(images: Images, hash: string): Promise<Inventory | undefined> {
  const packed = await readWhole(images, keys.inventory(hash));
  return packed && (parseJson(gunzipSync(packed).toString('utf8')) as Inventory);
}

/** The graph of a job, from its request or the bucket; undefined: it is gone. */
export async function readGraph(images: Images, request: JobRequest): Promise<Graph | undefined> {
  const packed =
    request.graph ?? (request.graphKey === undefined ? undefined : await readWhole(images, request.graphKey));
  return packed && unpackGraph(packed);
}

/** A text that a node showed. Undefined: it is gone. */
export async function readText(images: Images, key: string): Promise<string | undefined> {
  const bytes = await readWhole(images, key);
  return bytes && Buffer.from(bytes).toString('utf8');
}

async function readWhole(images: Images, key: string): Promise<Uint8Array | undefined> {
  const stored = await images.get(key);
  if (!stored || stored === 'not-modified') return undefined;
  return new Uint8Array(await new Response(stored.body).arrayBuffer());
}
