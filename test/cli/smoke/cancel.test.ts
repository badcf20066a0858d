// The check of cancelling, where a host makes the job before the request to cancel it arrives.

import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Ask, createAsk } from '../../../functions/cli/smoke/ask.ts';
import { errorChecks } from '../../../functions/cli/smoke/errors.ts';
import { type Rig, startRig } from '../../support/rig.ts';

let rig: Rig;
beforeEach(async () => {
  rig = await startRig({ workflows: 'test/workflows' });
});
afterEach(() => rig.close());

/** @param ask how the API is asked */
function cancelCheck(ask: Ask) {
  const smoke = {
    url: rig.url,
    ask,
    key: undefined,
    otherKey: undefined,
    webhookUrl: undefined,
    made: { jobs: new Set<string>(), uploads: new Set<string>() },
    until: Date.now() + 60_000,
    stopped: new AbortController().signal,
  };
  const checks = errorChecks(smoke, () => Promise.resolve({ workflow: 'slow', ms: 0 }));
  return checks.find(({ name }) => name === 'cancel')!.run();
}

test('a waiting job is cancelled', async () => {
  const ask = createAsk(rig.url, undefined, new AbortController().signal);
  expect(await cancelCheck(ask)).toEqual({ kind: 'ok', says: 'cancelled at once' });
});

test('a job that was made already says nothing about cancelling', async () => {
  await rig.addHost();
  const ask = createAsk(rig.url, undefined, new AbortController().signal);
  const late: Ask = async (path, question) => {
    if (question?.method === 'DELETE') await rig.until(path.split('/').at(-1)!, ['completed']);
    return ask(path, question);
  };
  expect(await cancelCheck(late)).toEqual({
    kind: 'not checked',
    says: 'the job had ended before it was cancelled',
  });
});
