// What tests of the Comfy API v2 share: a small graph, a job's end, and its events.

import { blake3 } from 'hash-wasm';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Graph } from '../../../functions/core/object-info.ts';
import { packageRoot } from '../../../functions/runtime/workflows.ts';
import type { Rig } from '../../support/rig.ts';
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
