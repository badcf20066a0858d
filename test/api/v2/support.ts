// What tests of the Comfy API v2 share: a small graph, a job's end, and its events.

import { blake3 } from 'hash-wasm';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PNG } from 'pngjs';
import type { Graph } from '../../../functions/core/object-info.ts';
import { packageRoot } from '../../../functions/runtime/workflows.ts';
import { type Rig, startRig } from '../../support/rig.ts';
import { call, eventually, type Json } from '../support.ts';

const template = readFileSync(join(packageRoot(), 'workflows', 'flux2_turbo_default.json'), 'utf8');

/** The graph of the default workflow, of a small image in four steps. */
export function small(prompt: string): Graph {
  const graph = JSON.parse(template) as Graph;
  graph['4']!.inputs['text'] = prompt;
  Object.assign(graph['7']!.inputs, { width: 256, height: 256, batch_size: 1 });
  Object.assign(graph['8']!.inputs, { steps: 4, seed: 1 });
  return graph;
}

export function untilEnded(app: Pick<Rig['app'], 'request'>, id: string): Promise<Json> {
  return eventually(`the end of ${id}`, async () => {
    const { json } = await call(app, `GET /api/v2/jobs/${id}`);
    return ['queued', 'running'].includes(String(json['status'])) ? undefined : json;
  });
}

export interface HeardEvent {
  event: string;
  data: Json;
}

/** All events of a stream, to its end. */
export async function eventsOf(
  app: Pick<Rig['app'], 'request'>,
  id: string,
  headers: Record<string, string> = {},
): Promise<HeardEvent[]> {
  const answer = await app.request(`/api/v2/jobs/${id}/events`, { headers });
  const text = await answer.text();
  return text.split('\n\n').flatMap((block) => {
    const [, event, data] = /^event: (\w+)\nid: \S+\ndata: (.*)$/s.exec(block) ?? [];
    return event === undefined ? [] : [{ event, data: JSON.parse(data!) as Json }];
  });
}

/** As the contract writes it. */
export async function blake3Of(bytes: Uint8Array): Promise<string> {
  return `blake3:${await blake3(bytes)}`;
}

/** An image that there was never before. */
export function picture(): Buffer<ArrayBuffer> {
  const png = new PNG({ width: 64, height: 64 });
  randomBytes(png.data.length).copy(png.data);
  return Buffer.from(PNG.sync.write(png));
}

/** A graph that loads an image and saves it. */
export const reading = (image: unknown): Graph => ({
  '1': { class_type: 'LoadImage', inputs: { image } },
  '2': { class_type: 'SaveImage', inputs: { images: ['1', 0], filename_prefix: 'Read' } },
});

export interface GivenToClient {
  /** Of the service, with a host. */
  url: string;
  /** A file with a graph, an image, and a link to an image. */
  path: string;
  close(): Promise<void>;
}

/** What the official clients' programs work with. */
export async function givenToClient(): Promise<GivenToClient> {
  const rig = await startRig();
  await rig.addHost();
  const folder = await mkdtemp(join(tmpdir(), 'sdk-'));
  const made = await rig.until(await rig.generate(), ['completed']);
  const [image] = made['images'] as { url: string }[];
  const path = join(folder, 'given.json');
  const link = new URL(image!.url);
  // Asked for within the process, it does not know its port.
  link.port = new URL(rig.url).port;
  await writeFile(
    path,
    JSON.stringify({ graph: reading('photo.png'), picture: picture().toString('base64'), link: link.href }),
  );
  return {
    url: rig.url,
    path,
    async close() {
      await rig.close();
      await rm(folder, { recursive: true });
    },
  };
}
