// `npm run keys` as a process: on a workspace whose API runs, on one that nobody has open, and on a deployment.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createStoreClient, engineOf } from '../../functions/store/dynamodb/client.ts';
import { createTables } from '../../functions/store/dynamodb/create-tables.ts';
import { createKeys } from '../../functions/store/keys.ts';
import { hasMoto, type Moto, startMoto } from '../support/moto.ts';
import { LOST, SIGNED_IN, UNREACHABLE } from '../support/no-aws.ts';
import { startProgram } from '../support/program.ts';
import { ownFolder } from './own-folder.ts';

const own = ownFolder('keys');
const environment = own.settings;

const keys = (...args: string[]) => keysIn(environment(), ...args);

async function keysIn(
  variables: Record<string, string>,
  ...args: string[]
): Promise<{ code: number | string; out: string; err: string }> {
  const program = own.endsWithTest(startProgram('keys', variables, args));
  const code = await program.ended;
  const err = program.stderr();
  return { code, out: program.output().replace(err, ''), err };
}

const api = () => own.startApi({ API_KEYS: 'required', SIMULATED_STEP_MS: '1' });

const KEY = /^ck_[0-9a-f]{16}_[A-Za-z0-9_-]{43}$/m;

test('a key made while nothing runs opens the API that starts later; revoked while it runs, it closes', async () => {
  const made = await keys('create', '--name', 'alice');
  expect(made).toMatchObject({ code: 0, err: expect.stringContaining('of alice (generate, read)') });
  const [key] = KEY.exec(made.out)!;
  const keyId = key.split('_')[1]!;

  const { url } = await api();
  const ask = (given?: string) =>
    fetch(`${url}/api/workflows`, { headers: given === undefined ? {} : { 'x-api-key': given } });
  expect((await ask()).status).toBe(401);
  expect((await ask(key)).status).toBe(200);

  const rotated = await keys('rotate', keyId);
  const [next] = KEY.exec(rotated.out)!;
  expect(next).not.toBe(key);
  expect((await ask(next)).status).toBe(200);
  expect(rotated.err).toContain(`revoke ${keyId}`);

  expect(await keys('revoke', keyId)).toMatchObject({ code: 0 });
  const { out } = await keys('list');
  expect(out).toMatch(new RegExp(`^${keyId}  alice  alice  generate,read  \\S+  revoked `, 'm'));
  expect(out).toMatch(new RegExp(`^${next.split('_')[1]}  alice  alice  generate,read  \\S+  valid$`, 'm'));
  expect(out).not.toContain(key.split('_').at(-1)!);
}, 60_000);

test('limits of an owner act in the API that runs, and are shown', async () => {
  const { url } = await api();
  const made = await keys('create', '--name', 'bob');
  const [key] = KEY.exec(made.out)!;
  expect(
    await keys(...'limits --owner bob --images-per-day 0 --usd-per-month 2.5 --upload-mb 7'.split(' ')),
  ).toMatchObject({
    code: 0,
  });
  const post = await fetch(`${url}/api/generate`, {
    method: 'POST',
    headers: { 'x-api-key': key, 'content-type': 'application/json' },
    body: JSON.stringify({ prompt: 'a fox' }),
  });
  expect(post.status).toBe(429);
  expect(await post.json()).toMatchObject({ code: 'images_used_up' });
  const usage = await fetch(`${url}/api/usage`, { headers: { 'x-api-key': key } });
  expect(await usage.json()).toMatchObject({
    owner: 'bob',
    usd_this_month: { limit: 2.5 },
    upload_bytes: { limit: 7 * 1024 * 1024, used: 0 },
  });
  const { out } = await keys(
    'limits',
    '--owner',
    'bob',
    '--usd-per-month',
    'default',
    '--unfinished',
    'unlimited',
  );
  expect(out).toBe(
    'per-minute      default\nunfinished      unlimited\nimages-per-day  0\nusd-per-month   default\nupload-mb       7\n',
  );
}, 60_000);

test.each([
  [['create'], 'Whose key is it? create --name NAME'],
  [['create', 'alice'], '"alice" is too many: flags come behind npm run keys --'],
  [['revoke', '0123456789abcdef', '--days', '3'], 'revoke takes no --days: it is a flag of create'],
  [['create', '--name', 'a b'], '--name must have 1 to 64'],
  [
    ['create', '--name', 'a', '--scopes', 'write'],
    '--scopes must be generate, graphs, read, admin or several, separated by commas; it is "write"',
  ],
  [['create', '--name', 'a', '--days', '0'], '--days must be a number from 0.001 to 3650; it is "0"'],
  [['revoke'], 'revoke takes the id of a key'],
  [['revoke', 'nonsense'], 'revoke takes the id of a key'],
  [['revoke', '0123456789abcdef'], 'There is no key 0123456789abcdef'],
  [['rotate', '0123456789abcdef'], 'There is no valid key 0123456789abcdef'],
  [['create', '--nmae', 'a'], 'Unknown flag --nmae; npm run keys -- takes --name, '],
  [['limits'], 'Whose limits? limits --owner NAME'],
  [['limits', '--owner', 'a b'], '--owner must have 1 to 64'],
  [
    ['limits', '--owner', 'a', '--images-per-day', '1.5'],
    '--images-per-day must be a whole number from 0, "unlimited" or "default"; it is "1.5"',
  ],
  [['limits', '--owner', 'a', '--per-minute', '0'], '--per-minute must be a whole number from 1 to 60000'],
  [['limits', '--owner', 'a', '--usd-per-month', ''], '"unlimited" or "default"; it is ""'],
  [[], 'npm run keys -- takes create, list, revoke, rotate or limits, not ""'],
])('%j is refused in one line', async (args, sentence) => {
  const { code, out, err } = await keys(...args);
  expect(code).toBe(1);
  expect(out).toBe('');
  expect(err.trim().split('\n')).toEqual([expect.stringContaining(sentence)]);
});

const NO_NETWORK =
  'it cannot be asked (Error: connect ECONNREFUSED 127.0.0.1:9) → check the network and the region, then the same again';
test.each<[string, Record<string, string>, string[], string]>([
  [
    'no credentials',
    LOST,
    ['--deployed'],
    'The deployment comfyui in us-east-1: no AWS credentials were found → aws configure sso (or aws configure; or set AWS_PROFILE)',
  ],
  [
    'no network',
    { ...SIGNED_IN, AWS_ENDPOINT_URL_DYNAMODB: UNREACHABLE.AWS_ENDPOINT_URL },
    ['--deployment', 'far', '--region', 'eu-west-1'],
    `The deployment far in eu-west-1: ${NO_NETWORK}`,
  ],
  [
    'a name that none has',
    SIGNED_IN,
    ['--deployment', 'Far'],
    '--deployment must be that of a deployment, 2 to 20 small letters, digits and dashes; it is "Far"',
  ],
  [
    'a region that is none',
    { ...SIGNED_IN, AWS_REGION: 'us east' },
    ['--deployed'],
    'AWS_REGION must be one of AWS\'s regions, such as us-east-1; it is "us east"',
  ],
])(
  'of a deployment with %s: one sentence',
  async (_, variables, args, sentence) => {
    expect(await keysIn(variables, 'list', ...args)).toEqual({ code: 1, out: '', err: `${sentence}\n` });
  },
  60_000,
);

describe.skipIf(!hasMoto)('of a deployment', () => {
  let moto: Moto;
  const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };
  beforeAll(async () => {
    moto = await startMoto();
  }, 60_000);
  afterAll(() => moto.close());

  test('its name and its region say whose keys are meant', async () => {
    const client = createStoreClient({ endpoint: moto.url, region: 'eu-central-1', credentials });
    await createTables(client, 'studio-');
    const aws = {
      AWS_ENDPOINT_URL: moto.url,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    };
    const there = ['--deployment', 'studio', '--region', 'eu-central-1'];
    expect(await keysIn(aws, 'create', '--name', 'alice', ...there)).toMatchObject({ code: 0 });
    expect((await createKeys(engineOf(client, 'studio-')).list()).map(({ owner }) => owner)).toEqual([
      'alice',
    ]);
    const limits = ['limits', '--owner', 'alice', ...there];
    expect(await keysIn(aws, ...limits, '--usd-per-month', '5')).toMatchObject({
      code: 0,
      err: "A limit in dollars counts no job on g6e.2xlarge, g6e.4xlarge, g7e.2xlarge: usdPerHour in cdk.json has no price there. npm run doctor prints AWS's.\n",
    });
    expect(await keysIn(aws, ...limits, '--images-per-day', '5')).toMatchObject({ code: 0, err: '' });
    expect(await keysIn(aws, 'list', '--deployed')).toMatchObject({
      code: 1,
      err: 'There is no deployment comfyui in us-east-1: npm run deploy, or --deployment NAME and --region REGION say which is meant\n',
    });
    client.raw.destroy();
  }, 60_000);
});
