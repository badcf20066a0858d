// Every command of the pages that a person follows is typed as it stands there: by the real AWS CLI, against a deployment
// on moto. What cannot be is marked in its page with the reason (see page.ts), and is at least understood by its program.
// What README.md and its pages type into a `bash` fence is the concern of test/readme.system.test.ts.
// Here: the AWS CLI's that change nothing.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { NOT_UNDERSTOOD } from './cli.ts';
import { effectOf } from './effects.ts';
import { commandsThat, isAws } from './pages.ts';
import { lacks, startTyping, type Typing, TYPING_LIMIT } from './typing.ts';

describe.skipIf(lacks)(`on moto ${lacks ?? ''}`, { timeout: TYPING_LIMIT }, () => {
  let typing: Typing;
  beforeAll(async () => {
    typing = await startTyping();
  }, TYPING_LIMIT);
  afterAll(() => typing?.close());

  test.each(commandsThat((one) => isAws(one) && !effectOf(one.text)))('%s', async (_text, command) => {
    const { code, stdout, stderr } = await typing.type(command);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.trim()).not.toMatch(/^(None|null|\[\])?$/);
  });

  test.each(commandsThat(isAws, false))('the CLI understands `%s`', async (_text, command) => {
    expect((await typing.type(command)).code).not.toBe(NOT_UNDERSTOOD);
  });
});
