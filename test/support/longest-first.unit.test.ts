import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { LONG } from './longest-first.ts';

test('every file that is put first is there', () => {
  expect(LONG.filter((path) => !existsSync(path))).toEqual([]);
});
