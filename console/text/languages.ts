// The languages of the page. The shipped workflows have their texts in each (test/core/translations.unit.test.ts).

export const LANGUAGES = { en: 'English', de: 'Deutsch' } as const;
export type Language = keyof typeof LANGUAGES;
