// The hosts as the API sees them: who is alive and what their ComfyUIs have. Read at most once a second a process, and of a
// large fleet less often.

import { type Host, isAlive } from '../../core/host.ts';
import { cached, createCache } from '../../core/cache.ts';
import { type Inventory, isKey, type ObjectInfo, optionsOf } from '../../core/object-info.ts';
import { type Estimate, estimateOf } from '../../core/estimate.ts';
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
  /** What a graph is checked against: the nodes of those alive, or else of the last hosts, which may have got more since. */
  declarations(): Promise<{ hosts: KnownHost[]; mayHaveMore: boolean }>;
  /** What any of them has; what was recorded before one was seen. */
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

  async function known(of: readonly Pick<Host, 'hostId' | 'inventoryHash'>[]): Promise<KnownHost[]> {
    const read = of.map(async ({ hostId, inventoryHash }) => {
      const inventory = inventoryHash === undefined ? undefined : await inventoryOf(inventoryHash);
      return inventory ? [{ hostId, nodes: inventory.nodes }] : [];
    });
    return (await Promise.all(read)).flat();
  }

  const inventories = async () => known(await hosts());

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
      const alive = await inventories();
      if (alive.length > 0) return { hosts: alive, mayHaveMore: false };
      const { inventories: hashes = [] } = await remembered();
      return {
        hosts: await known(hashes.map((hash) => ({ hostId: '', inventoryHash: hash }))),
        mayHaveMore: true,
      };
    },
    async inventory() {
      const hashes = [...new Set((await hosts()).flatMap(({ inventoryHash }) => inventoryHash ?? []))].sort();
      const key = hashes.join();
      // When the last host is gone, what it had is still the best guess.
      if (hashes.length === 0) return merged?.inventory ?? deps.recorded;
      if (merged?.key !== key) {
        const found = (await Promise.all(hashes.map(inventoryOf))).filter((one) => one !== undefined);
        if (found.length === 0) return deps.recorded;
        merged = { key, inventory: found.length === 1 ? found[0]! : found.reduce(merge) };
      }
      return merged.inventory;
    },
  };
}

/** What either has: a job that only some hosts can run waits for one of them. */
function merge(a: Inventory, b: Inventory): Inventory {
  const nodes: ObjectInfo = { ...a.nodes };
  for (const [classType, node] of Object.entries(b.nodes)) {
    const fields = { ...node.input?.required, ...node.input?.optional };
    const required: Record<string, unknown> = { ...fields };
    for (const field of Object.keys(fields)) {
      // A list of keys is more than a list: what each brings along is kept.
      if (isKey(b.nodes, classType, field)) continue;
      const options = [optionsOf(a.nodes, classType, field), optionsOf(b.nodes, classType, field)];
      if (options[0] && options[1]) required[field] = [[...new Set(options.flat())]];
    }
    nodes[classType] = a.nodes[classType] ? { ...node, input: { required } } : node;
  }
  const models: Inventory['models'] = {};
  for (const folder of new Set([...Object.keys(a.models), ...Object.keys(b.models)]))
    models[folder] = [...new Set([...(a.models[folder] ?? []), ...(b.models[folder] ?? [])])].sort();
  return { nodes, models };
}
