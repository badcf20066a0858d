// What a workflow's file takes over of the one that it replaces: the translations, which a person wrote, no graph brings along, and no
// answer of the API has whole; and the language of the file's own texts, where it does not say it itself. All else is as it comes. Pure.

import type { Template, Translations } from '../inputs-file.ts';

export interface Kept {
  /** To be written. */
  inputsFile: object;
  /** The languages that were taken over. */
  kept: string[];
}

/**
 * @param inputsFile as it came; @param template what it was read as
 * @param former the workflow that it replaces. Texts of inputs that are gone go with them; a file that has `translations` itself, be
 * they none (`{}`), stays as it came
 */
export function withTranslationsOf(
  former: Pick<Template, 'language' | 'translations'> | undefined,
  inputsFile: object,
  template: Pick<Template, 'language' | 'translations' | 'inputs'>,
): Kept {
  const language = template.language ?? former?.language;
  if (template.translations || !former?.translations || language === undefined)
    return { inputsFile, kept: [] };
  const translations = Object.fromEntries(
    Object.entries(former.translations)
      .filter(([tag]) => tag !== language)
      .map(
        ([tag, { inputs = {}, ...texts }]) => [tag, { ...texts, inputs: fitting(inputs, template) }] as const,
      )
      .filter(([, { inputs, ...texts }]) => !isEmpty(texts) || !isEmpty(inputs)),
  );
  const kept = Object.keys(translations);
  return { inputsFile: kept.length === 0 ? inputsFile : { ...inputsFile, language, translations }, kept };
}

type Texts = NonNullable<Translations[string]['inputs']>;

function fitting(texts: Texts, { inputs }: Pick<Template, 'inputs'>): Texts {
  return Object.fromEntries(
    Object.entries(texts)
      .filter(([name]) => Object.hasOwn(inputs, name))
      .map(
        ([name, { note, ...others }]) =>
          [
            name,
            { ...others, ...(note !== undefined && inputs[name]!.when_set?.note !== undefined && { note }) },
          ] as const,
      )
      .filter(([, one]) => !isEmpty(one)),
  );
}

const isEmpty = (texts: object) => Object.keys(texts).length === 0;
