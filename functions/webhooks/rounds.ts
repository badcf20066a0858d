// Rounds of a function that is called every minute: one, and further ones after a round with work, until its time is up.
// So an idle minute costs one poll, and in a busy one webhooks are sent at once.

import { setTimeout as sleep } from 'node:timers/promises';
import { WEBHOOK_LIMIT } from '../core/limits.ts';
import type { Round } from './deliver.ts';

const POLLS_EVERY = 2000;
/** For the table's requests before and after a delivery, ms. */
const TABLE_TAKES = 3000;

/** @param timeLeft ms until the function is stopped */
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
