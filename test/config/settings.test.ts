// A setting stands once: what is read, what is refused, and the page that describes it come from one declaration.

import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { apiSettings } from '../../functions/config/api.ts';
import { apiLambdaSettings } from '../../functions/config/api-lambda.ts';
import { cliSettings } from '../../functions/config/cli.ts';
import { helpOfSettings } from '../../functions/config/describe.ts';
import { hostSettings, machineHostSettings } from '../../functions/config/host.ts';
import { local, localSettings } from '../../functions/config/local.ts';
import { logLevelOf } from '../../functions/config/log.ts';
import { modelsSettings } from '../../functions/config/models.ts';
import { PROGRAMS, settingsPage } from '../../functions/config/page.ts';
import { read } from '../../functions/config/setting.ts';
import { TIMINGS } from '../../functions/core/timings.ts';
import { deployment } from '../../infra/settings.ts';

describe('the log', () => {
  const levelWith = (environment: Record<string, string>) => logLevelOf(localSettings(environment));

  test.each([
    [{}, 'warn'],
    [{ DEBUG: 'true' }, 'debug'],
    [{ DEBUG: '1' }, 'debug'],
    [{ DEBUG: 'false' }, 'warn'],
    [{ LOG_LEVEL: 'info' }, 'info'],
    [{ LOG_LEVEL: 'error', DEBUG: 'true' }, 'error'],
  ])('with %o says from %s on', (environment, level) => {
    expect(levelWith(environment)).toBe(level);
  });

  test.each(['express:*', '*', 'vite,-vite:resolve', '0x1'])('a DEBUG=%s is another program’s', (value) => {
    expect(levelWith({ DEBUG: value })).toBe('warn');
  });

  test('a level that there is none is refused', () => {
    expect(() => levelWith({ LOG_LEVEL: 'loud' })).toThrow(
      'LOG_LEVEL must be debug, info, warn or error; it is "loud"',
    );
  });
});

test('what is missing is asked for by name', () => {
  expect(() => machineHostSettings({})).toThrow(/^[A-Z_]+ must .+; it is ""$/);
});

test('a secret that cannot be is not repeated', () => {
  const storage = { TABLE_PREFIX: 'x-', IMAGES_BUCKET: 'x' };
  const environment = { ...storage, WORKFLOWS_PATH: 'x', ORIGIN_SECRET: 'hunter2' };
  expect(() => apiLambdaSettings(environment)).toThrow(
    /^ORIGIN_SECRET must be a secret .*; it has 7 characters$/,
  );
});

test('every setting whose name is that of a secret is marked as one', () => {
  const unmarked = PROGRAMS.flatMap(([, table]) =>
    Object.entries(table).flatMap(([name, { secret }]) =>
      /KEY|SECRET|TOKEN|PASSWORD|AUTHORIZATION|CREDENTIAL/.test(name) && !secret ? name : [],
    ),
  );
  // Whether keys are asked for, whether one is drawn, and where a token lies.
  expect([...new Set(unmarked)].sort()).toEqual(['API_KEYS', 'FIRST_KEY', 'HUB_TOKEN_PARAMETER']);
});

test.each<[string, (environment: Record<string, string>) => unknown, string, string]>([
  ['API_URL', cliSettings, 'ftp://ann:hunter2@a.example/x', 'ftp://…@a.example/x'],
  ['HF_ENDPOINT', modelsSettings, 'ann:hunter2@hub.example', '…@hub.example'],
  ['HF_ENDPOINT', modelsSettings, 'hub.example/?token=hunter2', 'hub.example/?…'],
  [
    'COMFYUI_HOST',
    localSettings,
    'https://ann:hun/ter2@comfy.example:99999',
    'https://…@comfy.example:99999',
  ],
  ['COMFYUI_HOST', localSettings, 'https://comfy.example/?token=hunter2', 'https://comfy.example/?…'],
])('a password or a query in %s is not repeated', (name, settings, value, shown) => {
  let said = '';
  try {
    settings({ [name]: value });
  } catch (error) {
    said = (error as Error).message;
  }
  expect(said).toMatch(new RegExp(`^${name} must `));
  expect(said.slice(said.lastIndexOf('; '))).toBe(`; it is "${shown}"`);
});

test.each<[string, (environment: Record<string, string>) => unknown, string]>([
  ['HUB_TOKEN_PARAMETER', modelsSettings, 'hf_AbCdEfGhIjKlMnOpQrStUvWxYz01234567'],
  ['HF_TOKEN', modelsSettings, 'hf_hunter2\nhunter2'],
  ['HF_ENDPOINT', modelsSettings, 'https://ann:hunter2@mirror.example'],
  ['API_URL', cliSettings, 'https://ann:hunter2@api.example'],
  ['API_KEYS', localSettings, 'ck_0123456789abcdef_hunter2hunter2hunter2hunter2hunter2hunter2h'],
  ['COMFYUI_AUTHORIZATION', localSettings, 'Bearer x\nhunter2'],
  ['FORWARDER_URL', apiSettings, 'http://ann:hunter2@127.0.0.1:5001'],
])(
  '%s refuses a secret that does not belong there or cannot be sent, and does not repeat it',
  (name, settings, value) => {
    expect(() => settings({ [name]: value })).toThrow(new RegExp(`^${name} must `));
    expect(() => settings({ [name]: value })).not.toThrow(/hunter2|hf_|ck_/);
  },
);

test('docs/settings.md is what the declarations say', async () => {
  const { context } = JSON.parse(await readFile('cdk.json', 'utf8')) as { context: Record<string, unknown> };
  await expect(settingsPage(deployment, context)).toMatchFileSnapshot('../../docs/settings.md');
});

test('--help of npm start has every setting, and its default', () => {
  const help = helpOfSettings(local);
  expect([...help.matchAll(/^ {2}([A-Z_]+)/gm)].map(([, name]) => name)).toEqual(Object.keys(local));
  expect(help).toContain('  API_PORT  (5000)\n');
  expect(help.split('\n').filter((line) => line.length > 100)).toEqual([]);
});

describe('TEST_TIMINGS', () => {
  test('gives a process of its own other times, and the rest as they are', () => {
    expect(hostSettings({}).TEST_TIMINGS).toEqual(TIMINGS);
    const environment = { TEST_TIMINGS: '{"heartbeatEvery":300}' };
    expect(hostSettings(environment).TEST_TIMINGS).toEqual({ ...TIMINGS, heartbeatEvery: 300 });
  });

  test.each(['0.1', 'null', '{', '{"heartbeats":300}', '{"heartbeatEvery":0}', '{"heartbeatEvery":"5"}'])(
    '%s is refused',
    (value) => {
      expect(() => hostSettings({ TEST_TIMINGS: value })).toThrow(
        /^TEST_TIMINGS must be a JSON object .+; it is/,
      );
    },
  );

  const onAws = PROGRAMS.filter(([name]) => / function$|on EC2$/.test(name));

  test.each(onAws)('is refused on AWS: %s', (_, { TEST_TIMINGS }) => {
    const table = { TEST_TIMINGS: TEST_TIMINGS! };
    expect(read(table, { TEST_TIMINGS: '' })).toEqual({ TEST_TIMINGS: TIMINGS });
    expect(() => read(table, { TEST_TIMINGS: '{"heartbeatEvery":300}' })).toThrow(
      /must not be set on AWS; it is/,
    );
  });

  test('is known to all programs there', () => {
    expect(onAws).toHaveLength(5);
  });
});
