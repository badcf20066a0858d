// Which models come first.

import { expect, test } from 'vitest';
import { byNeed } from '../../functions/models/by-need.ts';

const files = ['a', 'b', 'c', 'd'].map((filename) => ({
  folder: 'vae',
  filename,
  sizeBytes: 1,
  sha256: '0'.repeat(64),
  key: filename,
  source: { repo: 'r', revision: 'v', path: filename },
}));

test.each([
  ['no job waits', [], 'abcd'],
  ['one waits', [['c']], 'cabd'],
  [
    'two wait: in queue order, each file once',
    [
      ['d', 'c'],
      ['b', 'c'],
    ],
    'dcba',
  ],
  ['one that names a model which was not seeded is skipped', [['d', 'unknown'], ['b']], 'bacd'],
  ['one without models', [[], ['b']], 'bacd'],
])('%s', (_, named, order) => {
  expect(byNeed(files, named).map(({ filename }) => filename)).toEqual(order.split(''));
});
