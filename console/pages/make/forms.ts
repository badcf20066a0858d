// The form as it was left, for each workflow: it outlasts a reload, and other tabs share it.

import { computed, signal } from '@preact/signals';
import { isRecord } from '../../../functions/core/json-value.ts';
import { onKeyChange } from '../../api/key.ts';
import { isGivenUp } from '../../api/pause.ts';
import { Latest } from '../../parts/latest.ts';
import { messageOf, notifyFailure } from '../../parts/notices.tsx';
import { storedOfOwner } from '../../state/private.ts';
import { names } from '../../state/workflows.ts';
import type { Fault, Values } from './form.ts';

const chosen = storedOfOwner<string | undefined>('workflow', undefined, (value) =>
  typeof value === 'string' ? value : undefined,
);

/** The chosen one, while it is there; else the first, which is the API's default. */
export const workflow = computed(() =>
  chosen.value !== undefined && names.value?.includes(chosen.value) ? chosen.value : names.value?.[0],
);

const allValues = storedOfOwner<Record<string, Values>>('forms', {}, (value) =>
  isRecord(value) ? (value as Record<string, Values>) : {},
);
/** `<workflow>/<field>`: seeds that are kept for the next job. */
const locked = storedOfOwner<string[]>('locked-seeds', [], (value) => (Array.isArray(value) ? value : []));

/** How many jobs are asked for at once, as it was typed: of the person, whichever form is shown. */
export const times = signal('1');

/** The workflow whose form takes the focus as soon as it is drawn. */
export const focusWanted = signal<string | undefined>(undefined);

export const faults = signal<Record<string, Fault | string>>({});
export const timesFault = signal<Fault | undefined>(undefined);

/** Uploads for fields, by `<workflow>/<field>`. A value that a field gets by whatever way is later than its upload, which is given up. */
const uploads = new Latest();

onKeyChange(() => {
  faults.value = {};
  timesFault.value = undefined;
  uploads.giveUp(() => true);
});

export const isUploading = (name: string, field: string): boolean => uploads.isRunning(`${name}/${field}`);

/** The field has what the upload is called, unless it got another value before. @throws what `upload` does; DOMException AbortError */
export async function uploadInto(
  name: string,
  field: string,
  upload: (signal: AbortSignal) => Promise<string>,
): Promise<string> {
  dropFault(field, () => true);
  try {
    const uploaded = await uploads.begin(`${name}/${field}`, upload);
    setValue(name, field, uploaded);
    return uploaded;
  } finally {
    dropFault(field, (fault) => typeof fault === 'object' && fault.kind === 'uploading');
  }
}

function dropFault(field: string, isOne: (fault: Fault | string) => boolean): void {
  const { [field]: fault, ...others } = faults.peek();
  if (fault !== undefined && isOne(fault)) faults.value = others;
}

/** Said at the field; as a notice where another form is shown since. */
export function failAt(name: string, field: string, error: unknown): void {
  if (isGivenUp(error)) return;
  if (workflow.peek() === name) faults.value = { ...faults.peek(), [field]: messageOf(error) };
  else notifyFailure(error);
}

export const valuesOfForm = (name: string): Values => allValues.value[name] ?? {};

export function chooseWorkflow(name: string): void {
  chosen.value = name;
  faults.value = {};
}

/** @param value undefined: as the workflow has it */
export function setValue(name: string, field: string, value: string | boolean | undefined): void {
  setValues(name, { [field]: value });
}

export function setValues(name: string, changes: Record<string, string | boolean | undefined>): void {
  const values = { ...valuesOfForm(name) };
  const left = { ...faults.value };
  uploads.giveUp((one) => Object.keys(changes).some((field) => one === `${name}/${field}`));
  for (const [field, value] of Object.entries(changes)) {
    if (value === undefined) delete values[field];
    else values[field] = value;
    delete left[field];
  }
  allValues.value = { ...allValues.value, [name]: values };
  faults.value = left;
}

/** All of them, as a job had them. */
export function replaceValues(name: string, values: Values): void {
  uploads.giveUp((one) => one.startsWith(`${name}/`));
  allValues.value = { ...allValues.value, [name]: values };
  faults.value = {};
}

/** As the workflow has it: each job draws its own seed again. */
export function resetForm(name: string): void {
  replaceValues(name, {});
  locked.value = locked.value.filter((one) => !one.startsWith(`${name}/`));
}

export const isLocked = (name: string, field: string): boolean => locked.value.includes(`${name}/${field}`);

export function lockSeed(name: string, field: string, on: boolean): void {
  const entry = `${name}/${field}`;
  locked.value = [...locked.value.filter((one) => one !== entry), ...(on ? [entry] : [])];
}
