// What is kept of the translations of a workflow that is replaced fits the one that replaces it.

import { expect, test } from 'vitest';
import { parseTemplate } from '../../../functions/core/template.ts';
import { withTranslationsOf } from '../../../functions/core/workflow-file/kept-translations.ts';
import { GRAPH, small } from '../templates.ts';

const steps = { type: 'integer', default: 8, to: '2.steps', when_set: { note: 'It takes longer' } };
const former = small(
  { steps, flag: { type: 'boolean', default: true, to: '2.flag' } },
  {
    language: 'en',
    translations: {
      de: { title: 'Klein', inputs: { steps: { title: 'Schritte', note: 'Länger' }, flag: { title: 'An' } } },
      fr: { title: 'Petit' },
    },
  },
);

const replacedBy = (file: object) => {
  const { inputsFile, kept } = withTranslationsOf(former, file, parseTemplate('new', GRAPH, file));
  return { kept, template: parseTemplate('new', GRAPH, inputsFile), isAsItCame: inputsFile === file };
};
const { when_set: _, ...plain } = steps;

test.each<[string, object, string[], object | undefined]>([
  [
    'an input that is gone takes its texts along',
    { inputs: { steps } },
    ['de', 'fr'],
    { de: { title: 'Klein', inputs: { steps: { title: 'Schritte', note: 'Länger' } } } },
  ],
  [
    'a note that is gone, too',
    { inputs: { steps: plain } },
    ['de', 'fr'],
    { de: { inputs: { steps: { title: 'Schritte' } } } },
  ],
  [
    'the language that the file itself has now is none of the others',
    { language: 'fr', inputs: { steps } },
    ['de'],
    { de: { title: 'Klein' } },
  ],
  ['a file with translations is as it came', { translations: {}, inputs: { steps } }, [], {}],
  [
    'whichever they are',
    { language: 'en', translations: { it: { title: 'Piccolo' } }, inputs: { steps } },
    [],
    { it: { title: 'Piccolo' } },
  ],
])('%s', (_, file, languages, translations) => {
  const { kept, template, isAsItCame } = replacedBy({ title: 'New', ...file });
  expect(kept).toEqual(languages);
  expect(isAsItCame).toBe(languages.length === 0);
  expect(template.translations).toMatchObject(translations!);
  expect(Object.keys(template.translations!)).toEqual(
    languages.length > 0 ? languages : Object.keys(translations!),
  );
});

test('where none is replaced, or it had none, the file is as it came', () => {
  const file = { title: 'New', inputs: { steps } };
  const template = parseTemplate('new', GRAPH, file);
  for (const before of [undefined, small({ steps }), small({ steps }, { language: 'en' })])
    expect(withTranslationsOf(before, file, template)).toEqual({ inputsFile: file, kept: [] });
});

test('a language of which nothing is left is not kept', () => {
  const file = { title: 'New', inputs: { steps } };
  const before = small(
    { steps, flag: { type: 'boolean', default: true, to: '2.flag' } },
    { language: 'en', translations: { de: { inputs: { flag: { title: 'An' } } } } },
  );
  expect(withTranslationsOf(before, file, parseTemplate('new', GRAPH, file))).toEqual({
    inputsFile: file,
    kept: [],
  });
});
