// Where the queue stands, for the turns of new jobs: what waits first and what hosts hold, read at most once a second.

import { readTurn } from '../../core/names.ts';
import { type Level, levelOf, type Look } from '../../core/turn.ts';
import type { Jobs } from '../../store/jobs.ts';

const FRESH = 1000;

export function createLevel(
  jobs: Pick<Jobs, 'listWork' | 'furthestHeld'>,
  now: () => number,
): () => Promise<Level> {
  let look: Look | undefined;
  let level: Level | undefined;
  let reading: Promise<Look> | undefined;

  async function read(): Promise<Look> {
    const at = now();
    // What waits first: a job that a host takes in between is seen twice, else it would be missed.
    const [first] = await jobs.listWork('waiting', 1);
    const held = await jobs.furthestHeld();
    return {
      at,
      head: first && readTurn(first.workOrder).turn,
      furthestHeld: held === undefined ? undefined : readTurn(held).turn,
    };
  }

  return async () => {
    if (!look || now() - look.at >= FRESH) {
      reading ??= read().finally(() => (reading = undefined));
      look = await reading;
    }
    level = levelOf(look, now(), level?.turn);
    return level;
  };
}
