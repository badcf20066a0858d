// Keys as paths: none leaves the folder, no two meet, and each is found again by its prefix.

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { keys } from '../../../functions/core/names.ts';
import {
  bytesOf,
  bytesOfEntry,
  bytesOfKey,
  descend,
  keyOf,
  placeOf,
} from '../../../functions/images/folder/names.ts';

/** Pieces that paths are made of, and what file systems take for something else. */
const piece = fc.constantFrom(
  'a', 'A', 'b', '/', '//', '.', '..', '~', ',', '=', '%', '%2e', '.=', ' ', '\\', ':', 'con', 'Nul.', 'com1', 'ü', '😀', '\0', '0', '0f3',
  '0123456789abcdef0123456789abcdef', 'x'.repeat(60), 'Y'.repeat(101), 'ß'.repeat(40),
); // prettier-ignore
const key = fc
  .array(piece, { minLength: 1, maxLength: 12 })
  .map((pieces) => pieces.join(''))
  .filter((text) => Buffer.byteLength(text) <= 1024);

function pathOf(one: string): string {
  const { folders, name } = placeOf(bytesOfKey(one));
  return [...folders, name].join('/');
}

describe('a key', () => {
  it('lies below the folder, under names that every file system takes', () => {
    fc.assert(
      fc.property(key, (one) => {
        for (const name of pathOf(one).split('/')) {
          expect(name).toMatch(/^[a-z0-9_,%=-][a-z0-9_.,%=~-]*$/);
          expect(name).not.toMatch(/\.$|^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/);
          expect(name.length).toBeLessThanOrEqual(210);
        }
      }),
      { numRuns: 3000 },
    );
  });

  it('is told from its path, so that no two meet', () => {
    fc.assert(
      fc.property(key, (one) => {
        const { folders, name } = placeOf(bytesOfKey(one));
        const parts = [...folders.map((folder) => bytesOfEntry(folder, false)), bytesOfEntry(name, true)];
        expect(parts).not.toContain(undefined);
        expect(keyOf(parts.join(''))).toBe(one);
      }),
      { numRuns: 3000 },
    );
  });

  it('lies in the folders that any prefix of it leads to', () => {
    fc.assert(
      fc.property(key, fc.double({ min: 0, max: 1, noNaN: true }), (one, share) => {
        const bytes = bytesOf(one);
        const prefix = bytes.slice(0, Math.floor(bytes.length * share));
        const { folders, rest } = descend(prefix);
        expect(placeOf(bytes).folders.slice(0, folders.length)).toEqual(folders);
        const known = folders.map((folder) => bytesOfEntry(folder, false)).join('');
        expect(known + rest).toBe(prefix);
      }),
      { numRuns: 3000 },
    );
  });

  it.each(['', 'x'.repeat(1025), '\ud800'])('is refused where it is none: %j', (one) => {
    expect(() => bytesOfKey(one)).toThrow('well-formed text of 1 to 1024 bytes');
  });
});

describe('a name that another program else made', () => {
  it.each([
    ['.DS_Store', true], ['a', true], ['A.png', true], ['a%41.png', true], ['a%2.png', true], ['=.png', true], ['%2e', true], ['a~', true],
    ['.incoming', false], ['a.b', false], ['A', false], ['con', false], ['~', false], ['', false],
  ] as const)('is not ours: %s', (name, isFile) => {
    expect(bytesOfEntry(name, isFile)).toBeUndefined();
  }); // prettier-ignore
});

it('what comes many times lies in groups of the first three digits', () => {
  const job = '0f3cabcd-0123-8123-8123-0123456789ab';
  const hex = 'cabcd0123812381230123456789ab';
  expect(pathOf(keys.image(job, 1, `Flux2_${'0'.repeat(32)}_00001_.png`))).toBe(
    `images/0f3~/${hex},1,=flux2_${'0'.repeat(32)}_00001_.png`,
  );
  expect(pathOf(keys.graph(job))).toBe(`graphs/0f3~/${hex}.json.gz`);
  expect(pathOf(keys.upload('local', `${'ab'.repeat(32)}.png`))).toMatch(
    new RegExp(`^uploads/[0-9a-f]{16}/aba~/b${'ab'.repeat(30)}\\.png$`),
  );
});
