// The papers of the project: what they point at is there, and what calls CI calls what people call.

import { readFileSync, statSync } from 'node:fs';
import { expect, test } from 'vitest';

const read = (path: string) => readFileSync(path, 'utf8');

test('the licence is that of package.json', () => {
  const { license } = JSON.parse(read('package.json')) as { license: string };
  expect(read('LICENSE')).toMatch(new RegExp(`^${license} License\n`));
});

test("GitHub's machine runs .ci/run on the Node of .nvmrc", () => {
  const workflow = read('.github/workflows/ci.yml');
  expect(workflow).toMatch(/^ +- run: \.ci\/run$/m);
  expect(workflow).toContain(`image: node:${read('.nvmrc').trim()}-`);
  expect(statSync('.ci/run').mode & 0o111).not.toBe(0);
});

test('who reports a fault is asked what the doctor says', () => {
  const template = read('.github/ISSUE_TEMPLATE/bug.yml');
  expect(template).toMatch(/id: doctor[^]*npm run doctor -- --local[^]*required: true/);
});
