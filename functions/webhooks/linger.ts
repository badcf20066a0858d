// Rounds of a function that is called every minute: one, and while there is something to do further ones, until its
// time is up. So a minute in which nothing ends costs one look, and one with webhooks has them sent at once.

import { setTimeout as sleep } from 'node:timers/promises';
import { WEBHOOK_LIMIT } from '../core/limits.ts';
import type { Round } from './deliver.ts';

const POLLS_EVERY = 2000;
/** Around a delivery: the table is asked before and after. */
const TABLE_TAKES = 3000;

export async function deliverWhileBusy(
  round: (goesOn: () => boolean) => Promise<Round>,
  timeLeft: () => number,
  pause: (ms: number) => Promise<unknown> = sleep,
): Promise<void> {
  const goesOn = () => timeLeft() > WEBHOOK_LIMIT + TABLE_TAKES;
  let busy = false;
  for (;;) {
    const { taken, tried } = await round(goesOn);
    busy ||= taken + tried > 0;
    if (!busy || timeLeft() <= WEBHOOK_LIMIT + TABLE_TAKES + POLLS_EVERY) return;
    await pause(POLLS_EVERY);
  }
}
