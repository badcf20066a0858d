// What `npm run models -- seed --in-region` says where AWS cannot be asked. On moto's AWS: in-region.system.test.ts.

import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { packageRoot } from '../../functions/runtime/workflows.ts';
import { LOST, SIGNED_IN, UNREACHABLE } from '../support/no-aws.ts';
import { build, startCommand } from '../support/program.ts';

const TOKEN = 'hf_AbCdEfGhIjKlMnOpQrStUvWxYz01234567';

beforeAll(() => build(), 120_000);

test.each<[string, Record<string, string>, string[]]>([
  ['--token-parameter', {}, ['--token-parameter', TOKEN]],
  ['HUB_TOKEN_PARAMETER', { HUB_TOKEN_PARAMETER: TOKEN }, []],
])('the token itself as %s is refused before AWS is asked, and not repeated', async (name, env, more) => {
  const args = ['seed', '--bucket', 'models', '--accept-licence', ...more];
  const program = startCommand(process.execPath, [join(packageRoot(), '.build/models.mjs'), ...args], {
    ...SIGNED_IN,
    ...UNREACHABLE,
    ...env,
  });
  expect(await program.ended).toBe(1);
  expect(program.output()).toMatch(new RegExp(`^${name} must be the name of an SSM parameter `));
  expect(program.output()).not.toContain(TOKEN);
});

test.each<[string, Record<string, string>, string[], string]>([
  [
    'no credentials',
    LOST,
    [],
    'The deployment comfyui in us-east-1: no AWS credentials were found → aws configure sso (or aws configure; or set AWS_PROFILE)',
  ],
  [
    'no network',
    { ...SIGNED_IN, ...UNREACHABLE },
    [],
    'The deployment comfyui in us-east-1: it cannot be asked (Error: connect ECONNREFUSED 127.0.0.1:9) → check the network and the region, then the same again',
  ],
  [
    'a place that cannot be',
    SIGNED_IN,
    ['--region', 'us east'],
    '--region must be one of AWS\'s regions, such as us-east-1; it is "us east"',
  ],
])(
  'with %s it is one sentence',
  async (_, env, more, sentence) => {
    const args = ['seed', '--in-region', '--accept-licence', ...more];
    const program = startCommand(process.execPath, [join(packageRoot(), '.build/models.mjs'), ...args], env);
    expect([await program.ended, program.output()]).toEqual([1, `${sentence}\n`]);
  },
  60_000,
);
