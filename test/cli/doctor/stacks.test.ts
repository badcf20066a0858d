// In which state the stacks serve: asked of a fake of CloudFormation.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { readStacks } from '../../../functions/cli/doctor/stacks.ts';
import { type FakeAccount, startFakeAccount } from './fake-account.ts';

let account: FakeAccount;
const before = { ...process.env };
beforeAll(async () => {
  account = await startFakeAccount('http://127.0.0.1:1');
  process.env['AWS_ENDPOINT_URL_CLOUDFORMATION'] = account.url;
  process.env['AWS_ACCESS_KEY_ID'] = process.env['AWS_SECRET_ACCESS_KEY'] = 'test';
});
afterAll(async () => {
  process.env = before;
  await account.close();
});

const done = { status: 'UPDATE_COMPLETE', events: [] };
const inState = (status: string) => {
  const events: [string, string, string?][] = [
    ['Room', 'UPDATE_FAILED', 'of no use'],
    ['comfyui-compute', 'UPDATE_IN_PROGRESS', 'User Initiated'],
  ];
  account.stacks = {
    'comfyui-stateful': done,
    'comfyui-gpu-hosts': done,
    'comfyui-compute': { status, events },
  };
  return readStacks('comfyui', 'us-east-1');
};

test.each(['CREATE_COMPLETE', 'UPDATE_COMPLETE', 'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS'])(
  '%s serves',
  async (status) => {
    expect(await inState(status)).toEqual({ outputs: expect.objectContaining({ Url: 'x' }) });
  },
);

test.each(['UPDATE_ROLLBACK_COMPLETE', 'UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS'])(
  '%s serves what stood before, and says why the last deployment failed',
  async (status) => {
    expect(await inState(status)).toEqual({
      outputs: expect.objectContaining({ Url: 'x' }),
      rolledBack: {
        kind: 'next',
        says: `the last deployment of comfyui-compute failed (${status}): Room: of no use`,
        next: 'aws cloudformation describe-stack-events --region us-east-1 --stack-name comfyui-compute, then npm run deploy',
      },
    });
  },
);

test.each([
  'ROLLBACK_COMPLETE',
  'UPDATE_IN_PROGRESS',
  'UPDATE_ROLLBACK_IN_PROGRESS',
  'DELETE_COMPLETE',
  'UPDATE_FAILED',
])('%s does not serve', async (status) => {
  await expect(inState(status)).rejects.toThrow(/comfyui-compute/);
});
