// The command line of `npm run smoke`, and its table: pure.

import { expect, test } from 'vitest';
import type { Status } from '../../../functions/cli/api.ts';
import { readFlags } from '../../../functions/cli/flags.ts';
import { checkedOptions, program } from '../../../functions/cli/smoke/options.ts';
import { tableOf } from '../../../functions/cli/smoke/table.ts';

const parseOptions = (argv: string[], environment = {}) =>
  checkedOptions(readFlags(program, argv, environment)!);

test('an address loses the slash at its end; without flags nothing is said', () => {
  expect(parseOptions(['--url', 'https://a.example/', '--minutes', '2'])).toMatchObject({
    url: 'https://a.example',
    minutes: 2,
    deployed: false,
  });
  expect(parseOptions([])).toMatchObject({ url: undefined, key: undefined, minutes: 10 });
});

test.each([
  [['--url', 'a.example'], '--url must be an address such as https://images.example.com; it is "a.example"'],
  [
    ['--webhook-url', 'ftp://a'],
    '--webhook-url must be an address such as https://images.example.com; it is "ftp://a"',
  ],
  [
    ['--webhook-url', 'ftp://me:secret@a.example/?token=secret'],
    '--webhook-url must be an address such as https://images.example.com; it is "ftp://…@a.example/?…"',
  ],
  [
    ['--url', 'https://me:secret@a.example'],
    '--url takes an address without a user, a query or a fragment; it is "https://…@a.example"; a key goes to --key',
  ],
  [['--url', 'https://a.example/?page=1'], /^--url .*"https:\/\/a\.example\/\?…".* --key$/],
  [['--key', 'ключ'], /^--key must be a key, /],
  [['--minutes', '0'], '--minutes must be a number from 1 to 60; it is "0"'],
  [['--minutes', ''], '--minutes must be a number from 1 to 60; it is ""'],
  [['--name', 'ab'], /^--name and --region .* --deployed$/],
  [['--deployed', '--key', 'k'], /^--deployed .* --url, --key and --other-key$/],
  [['--name', 'A', '--deployed'], /^--name must .* 2 to 20 /],
  // As npm leaves it, which took --key for its own.
  [['ck_secret'], /^A word is too many: .* --help /],
])('%j is refused', (argv, sentence) => {
  expect(() => parseOptions(argv)).toThrow(sentence);
});

test('what no flag says the environment does, but not of a deployment', () => {
  const environment = { API_URL: 'https://b.example/', API_KEY: 'k' };
  expect(parseOptions([], environment)).toMatchObject({ url: 'https://b.example', key: 'k' });
  expect(parseOptions(['--url', 'https://a.example'], environment)).toMatchObject({
    url: 'https://a.example',
  });
  expect(parseOptions(['--deployed'], environment)).toMatchObject({ deployed: true });
  expect(() => parseOptions([], { API_KEY: 'a b' })).toThrow(/^API_KEY must be a key, [^"]*$/);
});

test('the table has the parts of each job, and no row for what was not checked', () => {
  const job = {
    created_at: '2026-11-28T10:00:00.000Z',
    started_at: '2026-11-28T10:02:51.000Z',
    completed_at: '2026-11-28T10:03:00.500Z',
    gpu_seconds: 8.25,
    cost_usd: 0.0051,
  } as Status;
  const ok = { kind: 'ok', says: '' } as const;
  const timed = [
    { name: 'head', finding: ok, seconds: 0.0321 },
    { name: 'other owners', finding: { kind: 'not checked', says: '' } as const, seconds: 0 },
    { name: 'turbo default', finding: ok, seconds: 181.04 },
  ];
  expect(tableOf(timed, new Map([['turbo default', job]]), 182)).toEqual([
    '               seconds  waited   ran   GPU  dollars',
    'head              0.03',
    'turbo default    181.0   171.0  9.50  8.25   0.0051',
    'all              182.0',
  ]);
});
