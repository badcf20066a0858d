// The workflows that the API has, and the inputs of each; asked for once, and anew when something was changed.

import { signal } from '@preact/signals';
import { call } from '../api/call.ts';
import { onKeyChange } from '../api/key.ts';
import type { Workflow } from '../api/types.ts';

/** What a person fills in of a workflow. */
export type Form = Workflow;
export type InputSchema = Form['inputs']['properties'][string];

export const names = signal<string[] | undefined>(undefined);
const titles = signal<Record<string, string>>({});
const forms = signal<Record<string, Form>>({});
onKeyChange(() => {
  names.value = undefined;
  titles.value = {};
  forms.value = {};
});

export async function loadNames(): Promise<void> {
  const found = await call('GET /api/workflows');
  titles.value = found.titles;
  names.value = found.workflows;
}

/** As people call it. */
export const titleOf = (name: string): string => titles.value[name] ?? name;

/** Undefined until `loadForm` has it. */
export const formOf = (name: string): Form | undefined => forms.value[name];

/** @param fresh what was saved may be another now */
export async function loadForm(name: string, fresh = false): Promise<void> {
  if (!fresh && forms.value[name]) return;
  const workflow = await call('GET /api/workflows/{name}', { path: { name } });
  forms.value = { ...forms.value, [name]: workflow };
}
