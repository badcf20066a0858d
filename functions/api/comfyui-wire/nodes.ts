// What the hosts' ComfyUIs have: their nodes and their model files, merged; while none is awake, what the last ones had.

import { stringifyJson } from '../../core/json.ts';
import type { Inventory } from '../../core/object-info.ts';
import { exactJson } from '../http/exact-json.ts';
import type { Mounted } from '../http/route.ts';
import type { WireDeps } from './deps.ts';
import { refusedFor } from './errors.ts';

export function nodeRoutes(deps: WireDeps): Mounted[] {
  // Of nearly a megabyte, and the same until a host brings something new.
  const texts = new WeakMap<Inventory, string>();
  return [
    {
      route: 'GET /object_info',
      scope: 'read',
      async handle(c) {
        const inventory = await inventoryOf(deps);
        const text = texts.get(inventory) ?? stringifyJson(inventory.nodes);
        texts.set(inventory, text);
        return c.body(text, 200, { 'Content-Type': 'application/json' });
      },
    },
    {
      route: 'GET /object_info/:class',
      scope: 'read',
      async handle(c) {
        const { nodes } = await inventoryOf(deps);
        const classType = c.req.param('class') ?? '';
        return exactJson(c, Object.hasOwn(nodes, classType) ? { [classType]: nodes[classType] } : {});
      },
    },
    {
      route: 'GET /models',
      scope: 'read',
      handle: async (c) => exactJson(c, Object.keys((await inventoryOf(deps)).models)),
    },
    {
      route: 'GET /models/:folder',
      scope: 'read',
      async handle(c) {
        const { models } = await inventoryOf(deps);
        const folder = c.req.param('folder') ?? '';
        return Object.hasOwn(models, folder) ? exactJson(c, models[folder]) : c.body(null, 404);
      },
    },
    {
      route: 'GET /embeddings',
      scope: 'read',
      async handle(c) {
        const { embeddings = [] } = (await inventoryOf(deps)).models;
        return exactJson(
          c,
          embeddings.map((name) => name.replace(/(?<=[^/\\])\.[^./\\]*$/, '')),
        );
      },
    },
    // Scripts of the hosts' nodes for ComfyUI's page: none is served from here.
    { route: 'GET /extensions', scope: 'read', handle: (c) => Promise.resolve(exactJson(c, [])) },
  ];
}

/** @throws PromptRefused nodes_unknown */
async function inventoryOf({ fleet }: WireDeps): Promise<Inventory> {
  const inventory = await fleet.known();
  if (inventory) return inventory;
  throw refusedFor(
    'nodes_unknown',
    'No host has reported its nodes and models yet',
    'start one, and ask again: what it has is known from then on, also while it sleeps',
    503,
  );
}
