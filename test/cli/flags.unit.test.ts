// A table of flags: what is read by it, what is refused, and what --help makes of it.

import { expect, test } from 'vitest';
import { flag, KEY, listOf, number, readFlags, several, TEXT, toggle } from '../../functions/cli/flags.ts';
import { helpOf } from '../../functions/cli/help.ts';

const program = {
  name: 'npm run paint --',
  usage: 'wall|door [flags]',
  about: 'Paints.',
  commands: { wall: { word: 'ID', means: 'paints a wall' }, door: { means: 'paints a door' } },
  flags: {
    colour: flag(TEXT, 'NAME', 'of the paint', { env: 'COLOUR', otherwise: 'white' }),
    coatCount: flag(number(1, 9, true), 'N', 'how often', { of: ['wall'], default: 2 }),
    hours: flag(listOf('numbers from 0', number(0)), 'N,N', 'at which'),
    mix: several('NAME', 'what is added', { short: 'm' }),
    key: flag(KEY, 'KEY', 'of the house', { env: 'HOUSE_KEY' }),
    isWet: toggle('does not wait', { short: 'w' }),
  },
};
const read = (argv: string[], environment = {}) => readFlags(program, argv, environment);
const NOTHING = { colour: undefined, coatCount: 2, hours: undefined, mix: [], key: undefined, isWet: false };

test.each<[string[], Record<string, string>, object, object?]>([
  [['door'], {}, {}, {}],
  [['--colour', 'red', 'door'], {}, { colour: 'red' }],
  [['door', '--colour=-5'], {}, { colour: '-5' }],
  [['door', '--colour', ''], {}, { colour: '' }],
  [['door', '--colour', 'red', '--colour', 'blue'], {}, { colour: 'blue' }],
  [['wall', '--coat-count', '3'], {}, { coatCount: 3 }],
  [['wall', '--coat_count=3'], {}, { coatCount: 3 }],
  [['door', '--hours', '1, 2.5'], {}, { hours: [1, 2.5] }],
  [['door', '-m', 'a', '--mix', 'b'], {}, { mix: ['a', 'b'] }],
  [['door', '-w'], {}, { isWet: true }],
  [['door'], { COLOUR: 'green' }, { colour: 'green' }, {}],
  [['door'], { COLOUR: '' }, {}, {}],
  [['door', '--colour', 'red'], { COLOUR: 'green' }, { colour: 'red' }],
])('%j with %o is understood', (argv, environment, values, given = values) => {
  expect(read(argv, environment)).toMatchObject({ values: { ...NOTHING, ...values }, given });
});

test('words are the command and what it takes', () => {
  expect(read(['wall', '7'])).toMatchObject({ command: 'wall', words: ['7'] });
  expect(read(['door'])).toMatchObject({ command: 'door', words: [] });
});

test.each<[string[], string, Record<string, string>?]>([
  [[], 'npm run paint -- takes wall or door, not ""; --help explains them'],
  [['roof'], 'npm run paint -- takes wall or door, not "roof"; --help explains them'],
  [['toString'], 'npm run paint -- takes wall or door, not "toString"; --help explains them'],
  [['door', '7'], '"7" is too many: flags come behind npm run paint --, and --help lists them'],
  [['wall', '7', '8'], '"8" is too many: flags come behind npm run paint --, and --help lists them'],
  [
    ['door', '--color', 'red'],
    'Unknown flag --color; npm run paint -- takes --colour, --coat-count, --hours, --mix, --key, --is-wet and --help',
  ],
  [['door', '-x'], 'Unknown flag -x; npm run paint -- takes '],
  [['door', '--constructor'], 'Unknown flag --constructor; npm run paint -- takes '],
  [['door', '--colour'], '--colour needs a value: --colour=NAME'],
  [['door', '--colour', '--is-wet'], '--colour needs a value: --colour=NAME'],
  [['door', '--is-wet=no'], '--is-wet takes no value'],
  [['door', '--coat-count', '3'], 'door takes no --coat-count: it is a flag of wall'],
  [['wall', '--coat-count', '1.5'], '--coat-count must be a whole number from 1 to 9; it is "1.5"'],
  [['wall', '--coat-count', ' '], '--coat-count must be a whole number from 1 to 9; it is " "'],
  [['door', '--hours', '1,x'], '--hours must be numbers from 0, separated by commas; it is "1,x"'],
  [['door', '--colour', 'red'], 'HOUSE_KEY must be a key, which has no spaces', { HOUSE_KEY: 'a b' }],
])('%j is refused', (argv, sentence, environment) => {
  expect(() => read(argv, environment)).toThrow(sentence);
});

test('a secret, and a word that may be one, is not repeated', () => {
  const secret = { ...program, flags: { key: flag(KEY, 'KEY', 'of the house', { secret: true }) } };
  expect(() => readFlags(secret, ['door', '--key', 'hunter 2'])).toThrow(/^--key must be a key, [^"]*$/);
  expect(() => readFlags(secret, ['door', 'hunter2'])).toThrow(/^A word is too many/);
  const key = 'ck_0123456789abcdef_hunter2hunter2hunter2hunter2hunter2hunter2h';
  for (const argv of [['wall', '--coat-count', key], ['door', key], [key], ['door', `--${key}`]])
    expect(() => read(argv)).toThrow(/^((?!hunter2)[^])+$/);
});

test.each([[['--help']], [['-h']], [['roof', '--color', '-h']]])('%j asks for help', (argv) => {
  expect(read(argv)).toBeUndefined();
});

test('--help has the commands with their flags, the other flags, their bounds and what holds without them', () => {
  expect(helpOf(program)).toBe(`npm run paint -- wall|door [flags]

  Paints.

  wall ID               paints a wall
    --coat-count N        how often (a whole number from 1 to 9); else 2
  door                  paints a door

  --colour NAME         of the paint; else COLOUR, else white
  --hours N,N           at which
  --mix NAME, -m        what is added
  --key KEY             of the house; else HOUSE_KEY
  --is-wet, -w          does not wait
  --help, -h            this`);
});
