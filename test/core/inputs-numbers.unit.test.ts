// Numbers that a caller may send: as numbers or as strings, whole or not, within bounds.

import { describe, expect, it } from 'vitest';
import { refused, valueOf } from './templates.ts';

describe('numbers', () => {
  it.each([
    ['steps', '25', 25],
    ['steps', ' 8 ', 8],
    ['steps', '2e1', 20],
    ['steps', '25.0', 25],
    ['steps', 1, 1],
    ['steps', 50, 50],
    ['cfg', 0, 0],
    ['cfg', -0, 0],
    ['cfg', '30', 30],
    ['cfg', '.5', 0.5],
    ['cfg', '+4.', 4],
    ['lora_strength', 1, 1],
    ['width', '256', 256],
    ['height', 2048, 2048],
    ['batch_size', 8, 8],
    ['seed', 0, 0],
    ['seed', 2 ** 53 - 1, 2 ** 53 - 1],
    ['seed', '9007199254740991', 2 ** 53 - 1],
    ['seed', '9007199254740992', 2n ** 53n],
    ['seed', 2n ** 64n - 1n, 2n ** 64n - 1n],
    ['seed', '+18446744073709551615', 2n ** 64n - 1n],
  ])('%s %s is %d', (field, value, number) => {
    expect(Object.is(valueOf(field, value), number)).toBe(true);
  });

  const STORED = 'Invalid field: cfg must be 0 or a number from 1e-125 to 1e+37 in size';
  it.each([1e-300, 1e300, '1e200', '9'.repeat(60), '-1e-200', 1e38, `0.${'0'.repeat(200)}1`])(
    '%s is more or less than the table keeps',
    (value) => {
      expect(refused('cfg', value)).toBe(STORED);
    },
  );

  const STEPS = 'Invalid field: steps must be a whole number from 1 to 50';
  const SIDE = 'Invalid field: width must be a whole number from 256 to 2048 and a multiple of 16';
  const NUMBER = 'Invalid field: cfg must be a number from 0 to 30';
  const STRENGTH = 'Invalid field: lora_strength must be a number from 0 to 1';
  const DRAWN = 'Invalid field: seed must be a whole number from 0 to 18446744073709551615';
  const BAD: [message: string, values: unknown[]][] = [
    [STEPS, [0, 51, 1.5, '', ' ', 'NaN', 'Infinity', '-Infinity', 'many', '0x10', '1e999', '1_0']],
    [STEPS, [true, [], [25], {}, NaN, Infinity, '२५', '25 steps', '1,5']],
    [SIDE, [1000, 1008.5, 240, 2064, '1000', -1024]],
    [NUMBER, [-0.01, 30.01, 'NaN', 'Infinity', NaN, -Infinity]],
    [STRENGTH, [1.01, -1, '2']],
    [DRAWN, [-1, 1.5, 2 ** 53, '18446744073709551616', '-1', 'random', true]],
  ];
  const cases = BAD.flatMap(([message, values]) =>
    values.map((value): [unknown, string] => [value, message]),
  );
  it.each(cases)('%j: %s', (value, message) => {
    const field = /: (\w+) must/.exec(message)![1]!;
    expect(refused(field, value)).toBe(message);
  });

  it.each([0, 9, '1.5', -1])('batch_size %j is refused', (value) => {
    expect(refused('batch_size', value)).toContain('from 1 to 8');
  });
});
