// As reads.system.test.ts, for the AWS CLI's commands that change something: each finds the deployment as it was made.

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { clientsOf, effectOf } from './effects.ts';
import { commandsThat, isAws, runbook } from './pages.ts';
import { lacks, startTyping, type Typing, TYPING_LIMIT } from './typing.ts';

describe.skipIf(lacks)(`on moto ${lacks ?? ''}`, { timeout: TYPING_LIMIT }, () => {
  let typing: Typing;
  beforeAll(async () => {
    typing = await startTyping();
  }, TYPING_LIMIT);
  afterEach(() => typing.renew(), TYPING_LIMIT);
  afterAll(() => typing?.close());

  test.each(commandsThat((one) => isAws(one) && effectOf(one.text) !== undefined))(
    '%s',
    async (text, command) => {
      const { given, leaves } = effectOf(text)!;
      await given?.(clientsOf(typing.moto));
      const { code, stderr } = await typing.type(command);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      await leaves(clientsOf(typing.moto));
    },
  );

  test('the stop of the budget page leaves no host, and none comes', async () => {
    const commands = runbook();
    const first = commands.findIndex(({ text }) => text.includes('--max-size 0'));
    for (const command of commands.slice(first, first + 2)) expect((await typing.type(command)).code).toBe(0);
    const { MaxSize, DesiredCapacity, Instances } = (await clientsOf(typing.moto).group())!;
    expect({ MaxSize, DesiredCapacity, Instances }).toEqual({
      MaxSize: 0,
      DesiredCapacity: 0,
      Instances: [],
    });
  });
});
