// The workflows that the API has, and the inputs of each; asked for once, and anew when something was changed.

import { signal } from '@preact/signals';
import { call } from '../api/call.ts';
import { onKeyChange } from '../api/key.ts';
import type { Workflow } from '../api/types.ts';
import { type Language, language } from '../text/index.ts';

/** What a person fills in of a workflow. */
export type Form = Workflow;
export type InputSchema = Form['inputs']['properties'][string];

export const names = signal<string[] | undefined>(undefined);
const titles = signal<{ language: Language; of: Record<string, string> } | undefined>(undefined);
const forms = signal<Record<string, { language: Language; form: Form }>>({});
/** By language and name; what several parts of a page want is asked for once. */
const underway = new Map<string, Promise<void>>();
onKeyChange(() => {
  names.value = undefined;
  titles.value = undefined;
  forms.value = {};
  underway.clear();
});

/** Titles and descriptions are in the language of the page, not in the browser's. */
export const inLanguage = (spoken: Language) => ({ 'Accept-Language': spoken });

/** Whether an answer in the page's language stands there, which an earlier question in another must not replace. */
const isBetter = (known: { language: Language } | undefined, spoken: Language) =>
  known?.language === language.peek() && spoken !== language.peek();

export async function loadNames(): Promise<void> {
  const spoken = language.peek();
  const found = await call('GET /api/workflows', { headers: inLanguage(spoken) });
  names.value = found.workflows;
  if (!isBetter(titles.peek(), spoken)) titles.value = { language: spoken, of: found.titles };
}

/** As people call it. */
export const titleOf = (name: string): string => titles.value?.of[name] ?? name;

/** Undefined until `loadForm` has it; in the language before until it is there in the page's. */
export const formOf = (name: string): Form | undefined => forms.value[name]?.form;

/** Unless it is there in the page's language. */
export function loadForm(name: string): Promise<void> {
  const spoken = language.peek();
  if (forms.peek()[name]?.language === spoken) return Promise.resolve();
  return underway.get(placeOf(spoken, name)) ?? reloadForm(name);
}

/** What was saved may be another now. */
export function reloadForm(name: string): Promise<void> {
  const spoken = language.peek();
  const place = placeOf(spoken, name);
  const mine = readForm(name, spoken).finally(() => {
    if (underway.get(place) === mine) underway.delete(place);
  });
  underway.set(place, mine);
  return mine;
}

const placeOf = (spoken: Language, name: string) => `${spoken} ${name}`;

async function readForm(name: string, spoken: Language): Promise<void> {
  const form = await call('GET /api/workflows/{name}', { path: { name }, headers: inLanguage(spoken) });
  if (!isBetter(forms.peek()[name], spoken))
    forms.value = { ...forms.peek(), [name]: { language: spoken, form } };
}
