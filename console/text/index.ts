// What the page says, in the language of the person: one catalogue a language, and every other has exactly what English has.

import { computed, signal } from '@preact/signals';
import { apiNow } from '../api/clock.ts';
import { stored } from '../state/stored.ts';
import { ago } from './ago.ts';
import { de } from './de.ts';
import { en } from './en.ts';
import { type Language, LANGUAGES } from './languages.ts';

/** Whole sentences; functions where something is filled in. */
export type Catalogue = typeof en;

export { LANGUAGES, type Language };

const catalogues: Record<Language, Catalogue> = { en, de };

const isLanguage = (text: string): text is Language => Object.hasOwn(LANGUAGES, text);

function preferred(): Language {
  return navigator.languages.map((one) => one.slice(0, 2)).find(isLanguage) ?? 'en';
}

/** As chosen; undefined: the browser's. */
export const chosenLanguage = stored<Language | undefined>('language', undefined, (value) =>
  typeof value === 'string' && isLanguage(value) ? value : undefined,
);
const browsers = signal(preferred());
addEventListener('languagechange', () => (browsers.value = preferred()));

export const language = computed(() => chosenLanguage.value ?? browsers.value);
const texts = computed(() => catalogues[language.value]);

/** Read where something is drawn: what is drawn changes with the language. */
export const t = (): Catalogue => texts.value;

/** `3 s`, `2 min`, `1 h`. @param digits of less than a second, which else is one */
export function durationOf(seconds: number, digits = 0): string {
  const [value, unit] =
    seconds < 90
      ? [seconds < 1 && digits > 0 ? seconds : Math.max(1, Math.round(seconds)), 'second']
      : seconds < 5400
        ? [Math.round(seconds / 60), 'minute']
        : [Math.round(seconds / 3600), 'hour'];
  return new Intl.NumberFormat(language.value, {
    style: 'unit',
    unit,
    unitDisplay: 'short',
    maximumFractionDigits: digits,
  }).format(value);
}

export const numberOf = (value: number, digits = 0): string =>
  new Intl.NumberFormat(language.value, { maximumFractionDigits: digits }).format(value);

/** `German` of `de`; the tag itself where it has more than names, as extensions. */
export function languageOf(tag: string): string {
  try {
    return new Intl.DisplayNames(language.value, { type: 'language' }).of(tag) ?? tag;
  } catch {
    return tag;
  }
}

/** Between a number and its fraction. */
export const decimal = (): '.' | ',' => (numberOf(0.5, 1).includes(',') ? ',' : '.');

export const timeOf = (iso: string): string =>
  new Intl.DateTimeFormat(language.value, { dateStyle: 'medium', timeStyle: 'short' }).format(new Date(iso));

/** `5 min. ago`, `yesterday`. */
export const agoOf = (iso: string): string => ago(iso, apiNow(), language.value);

export const bytesOf = (bytes: number): string => {
  const unit = bytes < 1e6 ? 'kilobyte' : bytes < 1e9 ? 'megabyte' : 'gigabyte';
  const value = bytes / { kilobyte: 1e3, megabyte: 1e6, gigabyte: 1e9 }[unit];
  return new Intl.NumberFormat(language.value, {
    style: 'unit',
    unit,
    unitDisplay: 'short',
    maximumFractionDigits: value < 10 ? 1 : 0,
  }).format(value);
};
