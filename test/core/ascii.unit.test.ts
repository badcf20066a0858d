// Names in few signs: of files in many scripts.

import { expect, test } from 'vitest';
import { inAscii, workflowNameOf } from '../../functions/core/ascii.ts';
import { WORKFLOW_NAME } from '../../functions/core/template.ts';
import { wordOf } from '../../functions/core/workflow-file/propose.ts';

test.each([
  ['Größe', 'groesse'],
  ['GRÖSSE', 'groesse'],
  // With the accents apart.
  ['Größe'.normalize('NFD'), 'groesse'],
  ['Ärger über Öl', 'aerger_ueber_oel'],
  ['Café à la crème', 'cafe_a_la_creme'],
  ['Łódź, Żółw', 'lodz_zolw'],
  ['Smørrebrød & Æbler', 'smorrebrod_aebler'],
  ['İstanbul ılık', 'istanbul_ilik'],
  ['ﬁne ①', 'fine_1'],
  ['狐', ''],
  ['fox 狐 2', 'fox_2'],
  ['constructor', 'constructor'],
  ['', ''],
])('%j is %j', (words, name) => expect(inAscii(words)).toBe(name));

test.each([
  ['My Workflow (2).json', 'my_workflow_2'],
  ['Größe.png', 'groesse'],
  ['.json', ''],
  [`${'x'.repeat(63)} y.json`, 'x'.repeat(63)],
  ['ß'.repeat(300), 's'.repeat(64)],
])('the workflow of %j is %j', (filename, name) => {
  expect(workflowNameOf(filename)).toBe(name);
  expect(name === '' || WORKFLOW_NAME.test(name)).toBe(true);
});

test('an input that is called by people has its name so too', () => {
  expect([wordOf('Größe (px)'), wordOf('2. Übergang'), wordOf('狐')]).toEqual([
    'groesse_px',
    'uebergang',
    'input',
  ]);
});
