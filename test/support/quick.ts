// What comes round, five times as often, for tests that wait for it. What others have to answer within stays: a machine that
// is busy with other tests may keep them from it.

import { TIMINGS, type Timings } from '../../functions/core/timings.ts';

const ROUNDS = ['heartbeatEvery', 'hostPollsEvery', 'comfyuiSilentAfter', 'watchEvery'] as const;

export const QUICK: Timings = {
  ...TIMINGS,
  ...Object.fromEntries(ROUNDS.map((name) => [name, TIMINGS[name] / 5])),
};
