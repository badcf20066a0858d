// Takes over the tables of release 0.1, which a DynamoDB emulator kept in a LevelDB of the workspace. The old files stay
// where they are.

import { unmarshall } from '@aws-sdk/util-dynamodb';
import { stat } from 'node:fs/promises';
import { ClassicLevel } from 'classic-level';
import { AppError } from '../../core/errors.ts';
import type { Attributes } from '../engine.ts';
import { tables } from '../tables.ts';
import type { EmbeddedEngine } from './engine.ts';

/** In the facts of the new file, once all is in it. */
const DONE = 'takenOver';
const TOGETHER = 500;

/**
 * Before the tables are used. It may be killed at any moment and is repeated by the next start; what is there by then
 * stays as it is.
 * @param from the old folder
 * @returns how many items were taken over; undefined: there is no such folder, or an earlier start has finished
 * @throws AppError in_use while a process of the old release has the folder, bad_setting where it cannot be read
 */
export async function takeOverTables(from: string, engine: EmbeddedEngine): Promise<number | undefined> {
  if (engine.facts.has(DONE)) return undefined;
  const isThere = await stat(`${from}/CURRENT`).then(
    () => true,
    () => false,
  );
  if (!isThere) return undefined;
  const old = await openOld(from);
  let count = 0;
  try {
    for (const spec of tables) {
      let batch: Attributes[] = [];
      const put = async () => {
        await engine.table(spec).putMissing(batch);
        count += batch.length;
        batch = [];
      };
      // Behind `~` is the item's own key.
      for await (const text of old.values({ gte: `item-${spec.name}~`, lt: `item-${spec.name}\x7f` })) {
        batch.push(unmarshall(JSON.parse(text, bytes) as Parameters<typeof unmarshall>[0]));
        if (batch.length === TOGETHER) await put();
      }
      await put();
    }
  } finally {
    await old.close();
  }
  await engine.facts.add(DONE);
  return count;
}

/** Bytes are stored as base64 under the type's name; under any other name stands a type, never a text. */
function bytes(_name: string, value: unknown): unknown {
  const { B: base64 } = (value ?? {}) as { B?: unknown };
  return typeof base64 === 'string' ? { B: Buffer.from(base64, 'base64') } : value;
}

async function openOld(from: string): Promise<ClassicLevel> {
  const old = new ClassicLevel(from, { createIfMissing: false });
  try {
    await old.open();
    return old;
  } catch (error) {
    const { code, message } = ((error as Error).cause ?? error) as NodeJS.ErrnoException;
    if (code === 'LEVEL_LOCKED')
      throw new AppError('in_use', `${from} is used by a process of release 0.1; stop that one`, {
        field: 'WORKSPACE_PATH',
      });
    throw new AppError(
      'bad_setting',
      `The job table of release 0.1 in ${from} cannot be read: ${message}. Start that release once more, which can repair it, or move the folder away to begin without its jobs`,
      { field: 'WORKSPACE_PATH' },
    );
  }
}
