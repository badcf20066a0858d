// Whether the texts that a template has in further languages fit the rest of it. Which of them a caller reads: translated.ts.

import type { Template } from './inputs-file.ts';

/** Undefined: they fit. */
export function problemOfLanguages({
  language,
  translations = {},
  inputs,
}: Pick<Template, 'language' | 'translations' | 'inputs'>): string | undefined {
  const own = language === undefined ? undefined : problemOfTag(language);
  if (own) return `language: ${own}`;
  for (const [tag, { inputs: texts = {} }] of Object.entries(translations)) {
    const problem = problemOfTag(tag);
    if (problem) return `translations: ${problem}`;
    // Else a caller who reads both would get this one, however good the other is.
    if (language === undefined) return 'translations: needs "language" beside it, that of all other texts';
    if (tag === language) return `translations.${tag}: is the language of all other texts`;
    for (const [input, { note }] of Object.entries(texts)) {
      if (!Object.hasOwn(inputs, input)) return `translations.${tag}.inputs: there is no input "${input}"`;
      if (note !== undefined && inputs[input]!.when_set?.note === undefined)
        return `translations.${tag}.inputs.${input}: has a "note", and the input has none in "when_set"`;
    }
  }
  return undefined;
}

/** Each language has one tag, so that one is found by it. */
function problemOfTag(tag: string): string | undefined {
  let written: string | undefined;
  try {
    [written] = Intl.getCanonicalLocales(tag);
  } catch {
    return `"${tag}" is no tag of a language by BCP 47; write "de" or "pt-BR"`;
  }
  return written === tag ? undefined : `"${tag}" is written "${written}" by BCP 47`;
}
