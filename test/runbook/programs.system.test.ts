// As reads.system.test.ts, for npm and cdk.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readFlags } from '../../functions/cli/flags.ts';
import { programOver } from '../../functions/cli/simulate/options.ts';
import { NEVER_WARM } from '../../functions/core/warm-schedule.ts';
import { runBash } from './cli.ts';
import type { Command } from './page.ts';
import { commandsThat, isCdk, isNpm } from './pages.ts';
import { lacks, startTyping, type Typing, TYPING_LIMIT } from './typing.ts';

/** With flags of its own. */
const SIMULATE = 'npm run simulate -- ';

describe.skipIf(lacks)(`on moto ${lacks ?? ''}`, { timeout: TYPING_LIMIT }, () => {
  let typing: Typing;
  beforeAll(async () => {
    typing = await startTyping();
  }, TYPING_LIMIT);
  afterAll(() => typing?.close());

  test.each(commandsThat((one) => isCdk(one) || (isNpm(one) && !isAnotherSimulation(one))))(
    '%s',
    async (_text, command) => {
      const { code, stdout, stderr } = await typing.type(command);
      expect({ code, said: code === 0 ? '' : stdout + stderr }).toEqual({ code: 0, said: '' });
    },
  );
});

// Most of a simulation's minute is the same whatever it is told: one of them is typed, of the others what they are told is read.
test.each(commandsThat(isAnotherSimulation))('the simulation understands `%s`', async (text) => {
  const { stdout } = await runBash(`printf '%s\\n' ${text.slice(SIMULATE.length)}`, {});
  const deployed = { usdPerHour: 1, idleMinutes: 10, warmth: NEVER_WARM };
  const line = readFlags(programOver(deployed), stdout.trim().split('\n'));
  expect(line?.values).toMatchObject({ seed: 1 });
});

function isAnotherSimulation({ text }: Pick<Command, 'text'>): boolean {
  return text.startsWith(SIMULATE);
}
