// When rounds are made: at once where something ends here, when the next is due, seldom where nothing is; on AWS once a
// minute, and on while there is something to do.

import { expect, test } from 'vitest';
import { cancel, claim } from '../../functions/core/job.ts';
import { createLog } from '../../functions/log.ts';
import { signal } from '../../functions/runtime/deferred.ts';
import type { Round } from '../../functions/webhooks/deliver.ts';
import { deliverWhileBusy } from '../../functions/webhooks/rounds.ts';
import { startDelivering, notifyingOfEnds } from '../../functions/webhooks/ticker.ts';
import type { Jobs } from '../../functions/store/jobs.ts';
import { NOW, STATES } from '../core/job-states.ts';

const silent = createLog('test', 'error', () => undefined);
const NOTHING: Round = { taken: 0, tried: 0 };

/** Rounds that a test waits for. */
function rounds(answer: (nth: number) => Round | Promise<Round> = () => NOTHING) {
  let made = 0;
  let changed = signal<void>();
  return {
    round: async () => {
      made += 1;
      changed.resolve();
      return answer(made);
    },
    made: () => made,
    async until(count: number) {
      while (made < count) {
        changed = signal<void>();
        await changed.promise;
      }
    },
  };
}

test('one at the start, for what is left from before; then none until something is due', async () => {
  const { round, made, until } = rounds();
  const delivering = startDelivering(round, { log: silent, now: Date.now, every: 60_000 });
  await until(1);
  delivering.nudge();
  await until(2);
  // Of many that end together each is reported once.
  for (let count = 0; count < 100; count += 1) delivering.nudge();
  await until(3);
  await delivering.stop();
  expect(made()).toBe(3);
});

test('the next when the next delivery is due', async () => {
  const { round, until } = rounds((nth) => ({ ...NOTHING, ...(nth === 1 && { nextDue: Date.now() + 100 }) }));
  const started = performance.now();
  const delivering = startDelivering(round, { log: silent, now: Date.now, every: 60_000 });
  await until(2);
  expect(performance.now() - started).toBeGreaterThan(95);
  await delivering.stop();
});

test('a nudge during a round makes another after it, never two at once', async () => {
  const first = signal<Round>();
  const { round, made, until } = rounds((nth) => (nth === 1 ? first.promise : NOTHING));
  const delivering = startDelivering(round, { log: silent, now: Date.now, every: 60_000 });
  await until(1);
  delivering.nudge();
  await new Promise((resolve) => setTimeout(resolve, 120));
  expect(made()).toBe(1);
  first.resolve(NOTHING);
  await until(2);
  await delivering.stop();
});

test('a round that fails is followed by another', async () => {
  const { round, until } = rounds((nth) => {
    if (nth === 1) throw new Error('the table is away');
    return NOTHING;
  });
  const delivering = startDelivering(round, { log: silent, now: Date.now, every: 10 });
  await until(3);
  await delivering.stop();
});

test('stop waits for the round under way, and asks it to come to an end', async () => {
  const asked = signal<() => boolean>();
  const over = signal<Round>();
  const delivering = startDelivering(
    (goesOn) => {
      asked.resolve(goesOn);
      return over.promise;
    },
    { log: silent, now: Date.now },
  );
  const goesOn = await asked.promise;
  expect(goesOn()).toBe(true);
  let stopped = false;
  const stopping = delivering.stop().then(() => (stopped = true));
  expect(goesOn()).toBe(false);
  await Promise.resolve();
  expect(stopped).toBe(false);
  over.resolve(NOTHING);
  await stopping;
});

test('the end of a job nudges once a job with a webhook was accepted here, and not before', async () => {
  let reported = 0;
  const jobs = notifyingOfEnds(
    { putState: () => Promise.resolve(true), write: () => Promise.resolve(false) } as unknown as Jobs,
    () => {
      reported += 1;
    },
  );
  await jobs.putState(STATES.waiting, 1);
  await jobs.write('a', cancel(NOW));
  expect(reported).toBe(0);
  await jobs.putState({ ...STATES.waiting, webhook: 'pending' }, 1);
  await jobs.write('a', claim(STATES.waiting, 'host', NOW, false));
  expect(reported).toBe(0);
  // Refused, it may still be the own write whose answer was lost.
  await jobs.write('a', cancel(NOW));
  expect(reported).toBe(1);
});

test.each<[string, Round[], number]>([
  ['a minute with nothing to do costs one poll', [NOTHING], 1],
  // 60 s: a poll every 2 s, until the last would come too late to send anything.
  ['one with a webhook is used to its end', [{ taken: 1, tried: 1 }], 26],
  ['one in which another process sends is not', [{ taken: 0, tried: 0, nextDue: 1 }], 1],
])('on AWS %s', async (_name, answers, expected) => {
  let left = 60_000;
  let made = 0;
  await deliverWhileBusy(
    (goesOn) => {
      expect(goesOn()).toBe(true);
      made += 1;
      return Promise.resolve(answers[made - 1] ?? NOTHING);
    },
    () => left,
    (ms) => {
      left -= ms;
      return Promise.resolve();
    },
  );
  expect(made).toBe(expected);
  expect(left).toBeGreaterThanOrEqual(8000);
});
