// The hosts as the API sees them: who is alive and what their ComfyUIs have. Read at most once a second a process, and of a
// large fleet less often.

import { type Host, isAlive } from '../../core/host.ts';
import { cached, createCache } from '../../core/cache.ts';
import type { Inventory, ObjectInfo } from '../../core/object-info.ts';
import { withOptionsOf } from '../../core/option-lists.ts';
import { type Estimate, estimateOf, isStarting } from '../../core/estimate.ts';
import { TIMINGS, type Timings } from '../../core/timings.ts';
import { readInventory } from '../../images/documents.ts';
import type { Images } from '../../images/images.ts';
import type { FleetStore } from '../../store/fleet.ts';
import type { Hosts } from '../../store/hosts.ts';

export interface KnownHost {
  hostId: string;
  nodes: ObjectInfo;
}

export interface Fleet {
  /** Those alive, at most a second old; of a large fleet some more. */
  hosts(): Promise<Host[]>;
  /** What waiting jobs wait for. @param held jobs that hosts hold already */
  estimate(held: number): Promise<Estimate>;
  /** The nodes of each of those that has reported them. */
  inventories(): Promise<KnownHost[]>;
  /** What a graph is checked against: the nodes of those that are up, or else of the last and of those whose models come. */
  declarations(): Promise<{ hosts: KnownHost[]; mayHaveMore: boolean }>;
  /** What any of those alive has, or else any of the last hosts. Undefined: none has reported yet. */
  known(): Promise<Inventory | undefined>;
  /** The same; what was recorded before one was seen. */
  inventory(): Promise<Inventory>;
}

const FRESH = 1000;
const KEPT_INVENTORIES = 16;

export function createFleet(deps: {
  hosts: Hosts;
  fleetStore: FleetStore;
  images: Images;
  recorded: Inventory;
  timings?: Timings | undefined;
  now(): number;
}): Fleet {
  const { now, timings = TIMINGS } = deps;
  const eachSecond = { now, freshFor: () => FRESH };
  const listed = cached(deps.hosts.listCached, eachSecond);
  const remembered = cached(deps.fleetStore.readCached, eachSecond);
  const documents = createCache<Inventory | undefined>({
    now,
    // A name is the hash of its content.
    freshFor: (stored) => (stored ? Infinity : 0),
    names: KEPT_INVENTORIES,
  });
  let merged: { key: string; inventory: Inventory } | undefined;

  async function hosts(): Promise<Host[]> {
    return (await listed()).filter((host) => isAlive(host, now(), timings));
  }

  const inventoryOf = (hash: string) => documents.get(hash, () => readInventory(deps.images, hash));

  async function nodesOf(of: readonly Pick<Host, 'hostId' | 'inventoryHash'>[]): Promise<KnownHost[]> {
    const read = of.map(async ({ hostId, inventoryHash }) => {
      const inventory = inventoryHash === undefined ? undefined : await inventoryOf(inventoryHash);
      return inventory ? [{ hostId, nodes: inventory.nodes }] : [];
    });
    return (await Promise.all(read)).flat();
  }

  const inventories = async () => nodesOf(await hosts());

  async function known(): Promise<Inventory | undefined> {
    const alive = (await hosts()).flatMap(({ inventoryHash }) => inventoryHash ?? []);
    const hashes = alive.length > 0 ? alive : ((await remembered()).inventories ?? []);
    const key = [...new Set(hashes)].sort().join();
    if (key !== '' && merged?.key !== key) {
      const found = await Promise.all(key.split(',').map(inventoryOf));
      const inventory = found
        .filter((one) => one !== undefined)
        .reduce<Inventory | undefined>(merge, undefined);
      if (inventory) merged = { key, inventory };
    }
    // Where none is known any more, what was known is still the best guess.
    return merged?.inventory;
  }

  return {
    hosts,
    async estimate(held) {
      const [alive, fleet] = await Promise.all([hosts(), remembered()]);
      const measured = alive.flatMap(({ jobSeconds }) => jobSeconds ?? []);
      const secondsPerJob =
        measured.length > 0
          ? measured.reduce((sum, one) => sum + one, 0) / measured.length
          : fleet.secondsPerJob;
      return estimateOf(
        alive,
        { ...fleet, ...(secondsPerJob !== undefined && { secondsPerJob }) },
        held,
        now(),
      );
    },
    inventories,
    async declarations() {
      const alive = await hosts();
      const up = await nodesOf(alive.filter((host) => !isStarting(host)));
      if (up.length > 0) return { hosts: up, mayHaveMore: false };
      const { inventories: hashes = [] } = await remembered();
      const last = hashes.map((hash) => ({ hostId: '', inventoryHash: hash }));
      return { hosts: await nodesOf([...last, ...alive]), mayHaveMore: true };
    },
    known,
    inventory: async () => (await known()) ?? deps.recorded,
  };
}

/** What either has: a job that only some hosts can run waits for one of them. */
function merge(a: Inventory | undefined, b: Inventory): Inventory {
  if (!a) return b;
  const nodes: ObjectInfo = { ...a.nodes };
  for (const [classType, node] of Object.entries(b.nodes))
    nodes[classType] = nodes[classType] ? withOptionsOf(nodes[classType], node) : node;
  const models: Inventory['models'] = {};
  for (const folder of new Set([...Object.keys(a.models), ...Object.keys(b.models)]))
    models[folder] = [...new Set([...(a.models[folder] ?? []), ...(b.models[folder] ?? [])])].sort();
  return { nodes, models };
}
