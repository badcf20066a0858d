// A template in the language that a caller wants most of those that it has. What has no text there keeps the file's own words. Pure.

import type { Template } from './template.ts';

/**
 * @param wanted ranges of languages as Accept-Language has them, the most wanted first
 * @returns the template, whose `language` is the one that was chosen
 */
export function translated(template: Template, wanted: readonly string[]): Template {
  const { language, translations = {} } = template;
  const tags = [...(language === undefined ? [] : [language]), ...Object.keys(translations)];
  const tag = chosen(tags, wanted);
  if (tag === undefined || !Object.hasOwn(translations, tag)) return template;
  const { title, description, inputs = {} } = translations[tag]!;
  return {
    ...template,
    language: tag,
    title: title ?? template.title,
    description: description ?? template.description,
    inputs: Object.fromEntries(
      Object.entries(template.inputs).map(([name, spec]) => {
        const { note, ...texts } = Object.hasOwn(inputs, name) ? inputs[name]! : {};
        return [
          name,
          { ...spec, ...texts, ...(note !== undefined && { when_set: { ...spec.when_set, note } }) },
        ];
      }),
    ),
  };
}

/** The notes that jobs of it may have, in its words, and as `shown` has them. */
export function translatedNotes(template: Template, shown: Template): Record<string, string> {
  return Object.fromEntries(
    Object.entries(template.inputs).flatMap(([name, { when_set: effect }]) =>
      effect?.note === undefined
        ? []
        : [[effect.note, shown.inputs[name]?.when_set?.note ?? effect.note] as const],
    ),
  );
}

/** By RFC 4647's lookup: `de-AT` finds `de`. A range that no tag is also finds one that is narrower: `pt` finds `pt-BR`. */
function chosen(tags: readonly string[], wanted: readonly string[]): string | undefined {
  for (const range of wanted) {
    const widened = widen(range);
    const tag =
      widened.find((one) => tags.includes(one)) ??
      tags.find((one) => widened[0] !== undefined && one.startsWith(`${widened[0]}-`));
    if (tag !== undefined) return tag;
  }
  return undefined;
}

/** `de-Latn-AT`, `de-Latn`, `de`. None of what is no tag, as `*`: any language will do. */
function widen(range: string): string[] {
  const parts = tagOf(range)?.split('-') ?? [];
  const ranges: string[] = [];
  while (parts.length > 0) {
    ranges.push(parts.join('-'));
    parts.pop();
    // What a single sign introduces is nothing without it.
    if (parts.at(-1)?.length === 1) parts.pop();
  }
  return ranges;
}

function tagOf(range: string): string | undefined {
  try {
    return Intl.getCanonicalLocales(range)[0];
  } catch {
    return undefined;
  }
}
