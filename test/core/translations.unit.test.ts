// Texts of templates in further languages: what is shipped is whole, what does not fit is refused, and who reads which.

import { describe, expect, it } from 'vitest';
import { LANGUAGES } from '../../console/text/languages.ts';
import type { Template } from '../../functions/core/template.ts';
import { translated, translatedNotes } from '../../functions/core/translated.ts';
import { refusalOf, SHIPPED, shipped, small } from './templates.ts';

describe.each(SHIPPED)('%s', (name) => {
  const template = shipped(name);
  const others = Object.keys(LANGUAGES).filter((one) => one !== template.language);

  it.each(others)('has every text in %s', (language) => {
    expect(template.language).toBe('en');
    const { title, description, inputs = {} } = template.translations?.[language] ?? {};
    expect(title).toMatch(/\S/);
    expect(description).toMatch(/\S/);
    expect(Object.keys(inputs)).toEqual(Object.keys(template.inputs));
    for (const [input, spec] of Object.entries(template.inputs)) {
      const { title, description, note } = inputs[input]!;
      expect([input, title, description]).toEqual([
        input,
        expect.stringMatching(/\S/),
        expect.stringMatching(/\S/),
      ]);
      // A title may be the same word; a sentence is none.
      expect(description).not.toBe(spec.description);
      expect([input, note === undefined]).toEqual([input, spec.when_set?.note === undefined]);
    }
  });
});

const steps = {
  type: 'integer',
  default: 8,
  to: '2.steps',
  title: 'Steps',
  description: 'How many',
  when_set: { note: 'It takes longer' },
};
const side = { type: 'integer', default: 8, to: '2.dotted.field', title: 'Side' };
const of = (translations: object, more: object = { language: 'en' }) =>
  small({ steps, side }, { ...more, translations });

describe('an inputs file is refused, by file and field, with', () => {
  it.each<[string, object, string]>([
    [
      'an unknown input',
      { de: { inputs: { step: {} } } },
      'translations.de.inputs: there is no input "step"',
    ],
    [
      'what every object has',
      { de: { inputs: { toString: {} } } },
      'translations.de.inputs: there is no input "toString"',
    ],
    ['an unknown text', { de: { titel: 'x' } }, 'translations.de: Unrecognized key: "titel"'],
    [
      'an unknown text of an input',
      { de: { inputs: { steps: { hint: 'x' } } } },
      'translations.de.inputs.steps: Unrecognized key: "hint"',
    ],
    ['no text', { de: { title: 7 } }, 'translations.de.title: '],
    ['no translation', { de: 'Klein' }, 'translations.de: '],
    [
      'a note where there is none',
      { de: { inputs: { side: { note: 'x' } } } },
      'translations.de.inputs.side: has a "note"',
    ],
    ['a tag in other letters', { DE: {} }, '"DE" is written "de"'],
    ['a tag of former times', { iw: {} }, '"iw" is written "he"'],
    ['a region in other letters', { 'pt-br': {} }, '"pt-br" is written "pt-BR"'],
    ['a word', { german_: {} }, '"german_" is no tag of a language'],
    ['no tag', { '': {} }, '"" is no tag of a language'],
    ['any language', { '*': {} }, '"*" is no tag of a language'],
    ['its own language', { en: {} }, 'translations.en: is the language of all other texts'],
  ])('%s', (_, translations, what) => {
    const said = refusalOf(() => of(translations));
    expect(said).toContain('workflows/small.inputs.json: translations');
    expect(said).toContain(what);
  });

  it('translations of it is not known which language', () => {
    expect(refusalOf(() => of({ de: {} }, {}))).toContain('needs "language"');
    expect(() => of({}, {})).not.toThrow();
    expect(() => of({ de: {} }, { language: 'pt-BR' })).not.toThrow();
  });

  it('a language of its own that is none', () => {
    expect(refusalOf(() => small({ steps }, { language: 'EN' }))).toContain('language: "EN" is written "en"');
    expect(refusalOf(() => small({ steps }, { language: 'x y' }))).toContain('language: "x y" is no tag');
  });
});

const texts = {
  de: {
    title: 'Klein',
    inputs: { steps: { title: 'Schritte', description: 'Wie viele', note: 'Es dauert länger' } },
  },
  'pt-BR': { title: 'Pequeno' },
  'zh-Hant-TW': { title: '小' },
};
const titled = (accepted: string[], template: Template = of(texts)) => {
  const { language, title } = translated(template, accepted);
  return [language, title];
};

describe('a caller reads', () => {
  const own = ['en', 'Small'];
  it.each<[string, string[], string[]]>([
    ['the language', ['de'], ['de', 'Klein']],
    ['it for one of its regions', ['de-AT'], ['de', 'Klein']],
    ['it for one of its scripts and regions', ['de-Latn-CH-1996'], ['de', 'Klein']],
    ['it in any letters', ['DE-at'], ['de', 'Klein']],
    ['it where a private part follows', ['de-x-own'], ['de', 'Klein']],
    ['the first that is there', ['fr', 'ja', 'de', 'pt-BR'], ['de', 'Klein']],
    ['the own words where they are wanted more', ['en-GB', 'de'], own],
    ['a narrower one', ['pt'], ['pt-BR', 'Pequeno']],
    ['no other region', ['pt-PT'], own],
    ['no other script', ['zh-Hans'], own],
    ['it by its longer tag', ['deu'], ['de', 'Klein']],
    ['nothing that only begins so', ['d', 'den', 'deu-x'], own],
    ['the own words of what is none', ['*', '', 'x', '-', 'toString', '__proto__'], own],
    ['the own words without a wish', [], own],
  ])('%s: %j %j', (_, accepted, expected) => expect(titled(accepted)).toEqual(expected));

  it('the own words of what was not translated', () => {
    const shown = translated(of(texts), ['de']);
    expect(shown.inputs['steps']).toMatchObject({
      title: 'Schritte',
      description: 'Wie viele',
      when_set: { note: 'Es dauert länger' },
      default: 8,
    });
    expect(shown.inputs['side']).toEqual(of(texts).inputs['side']);
    expect(translated(of(texts), ['pt-BR']).inputs).toEqual(of(texts).inputs);
    expect(translatedNotes(of(texts), shown)).toEqual({ 'It takes longer': 'Es dauert länger' });
  });

  it('the template itself is as it was', () => {
    const template = of(texts);
    translated(template, ['de']);
    expect(template).toEqual(of(texts));
  });

  it('a file without a language says none', () =>
    expect(titled(['de', 'en'], small({ steps }))).toEqual([undefined, 'Small']));
});
