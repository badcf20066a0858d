// A text that a node shows beside the file that it saved of it.

import { expect, test } from 'vitest';
import { once } from '../../console/parts/once.ts';
import type { OutputView } from '../../console/parts/output.tsx';

const output = (filename: string, more: Partial<OutputView> = {}) =>
  ({ filename, node: '8', kind: 'text', content_type: 'text/plain', sha256: 'a', ...more }) as OutputView;
const namesOf = (...outputs: OutputView[]) => once(outputs).map(({ filename }) => filename);

test('is one output: the file', () => {
  const file = output('notes.md', { content_type: 'text/markdown' });
  expect(namesOf(output('shown.txt'), file)).toEqual(['notes.md']);
  expect(namesOf(output('shown.txt'), output('saved.txt'))).toEqual(['saved.txt']);
  const json = output('made.json', { content_type: 'application/json', sha256: 'b' });
  expect(namesOf(output('shown.txt'), json)).toEqual(['made.json']);
});

test('others are not: of another node, of other words, of no known hash, no text', () => {
  const all = [
    output('shown.txt'),
    output('of another.txt', { node: '9' }),
    output('other words.txt', { sha256: 'b' }),
    output('unknown.txt', { sha256: null }),
    output('unknown too.txt', { sha256: null }),
    output('picture.png', { kind: 'image', content_type: 'image/png' }),
  ];
  expect(once(all)).toEqual(all);
});
