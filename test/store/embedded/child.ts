// Another process on the file of the embedded engine. It answers each message with one of its own; what it is to do without
// end it does until it is killed, and its standard output has what was acknowledged.

import { open } from 'lmdb';
import { writeSync } from 'node:fs';
import { join } from 'node:path';
import { openEmbedded } from '../../../functions/store/embedded/engine.ts';
import { absent, type Attributes } from '../../../functions/store/engine.ts';
import { jobsTable } from '../../../functions/store/tables.ts';
import { itemAfter } from './writes.ts';

export type Asked =
  | { put: Attributes }
  | { read: Attributes }
  /** Adds 1 to `n` of a key, so often. */
  | { key: Attributes; times: number }
  /** Sets `by` of each where it is absent. The answer: of which it did. */
  | { claim: Attributes[]; by: string }
  /** Writes a key without end, and says 'holding' before it has ended. */
  | { hold: Attributes }
  /** Writes these keys without end, each write after the one before. */
  | { load: string[] };

const directory = process.argv[2]!;
const [, , , once] = process.argv;
const engine = openEmbedded({ directory });
const table = engine.table(jobsTable);

async function answer(asked: Asked): Promise<unknown> {
  if ('put' in asked) return table.put(asked.put);
  if ('read' in asked) return table.read(asked.read);
  if ('times' in asked) {
    const one = () => table.update(asked.key, { add: { n: 1 } });
    return (await Promise.all(Array.from({ length: asked.times }, one))).filter(Boolean).length;
  }
  if ('claim' in asked) {
    const { by } = asked;
    const one = (key: Attributes) => table.update(key, { when: [absent('by')], set: { by } });
    const won = await Promise.all(asked.claim.map(one));
    return asked.claim.filter((_, nth) => won[nth]);
  }
  if ('hold' in asked) return hold(asked.hold);
  return Promise.all(asked.load.map(load));
}

/** As the engine opens it: lmdb shares one environment in a process. */
function hold(key: Attributes): Promise<never> {
  const root = open({
    path: join(directory, 'tables.mdb'),
    noSubdir: true,
    maxDbs: 40,
    cache: false,
    overlappingSync: false,
  });
  const items = root.openDB('jobs', { encoding: 'msgpack', useRecords: false } as object);
  return root.transaction(() => {
    void items.put([key['jobId'], key['part']] as string[], { ...key, held: true });
    writeSync(1, 'holding\n');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    throw new Error('unreachable');
  });
}

async function load(jobId: string): Promise<never> {
  for (let n = 1; ; n += 1) {
    const item = itemAfter(jobId, n);
    await (item ? table.put(item) : table.remove({ jobId, part: 'state' }));
    writeSync(1, `${jobId} ${n}\n`);
  }
}

if (once) {
  await table.put(JSON.parse(once) as Attributes);
  await engine.close();
} else {
  process.on('message', (asked: Asked) => {
    void answer(asked).then((told) => process.send!({ told }));
  });
  process.send!({ told: 'ready' });
}
