// The jobs that this tab has asked for. Each is sent under an Idempotency-Key that is kept before it is sent: a reload, or an
// answer that was lost, asks again and gets the same job.

import { type Signal, signal } from '@preact/signals';
import { type ApiFailure, call } from '../api/call.ts';
import { onKeyChange } from '../api/key.ts';
import { ofTab } from '../api/storage.ts';
import type { JobStatus } from '../api/types.ts';
import { hexOf } from './hex.ts';
import { storedOfOwner } from './private.ts';

/** What a person typed, as it is sent. */
export type Inputs = Record<string, string | number | boolean>;

export interface Asked {
  /** The Idempotency-Key. */
  key: string;
  workflow: string;
  inputs: Inputs;
  /** Absent until it was accepted. */
  jobId?: string;
}

/** What is known of one; both absent before the first answer. */
export interface Known {
  view?: JobStatus;
  /** The unfinished image, as a data: URL; of a job that runs. */
  preview?: string | undefined;
  /** It was not accepted; of one that was: how it goes cannot be read. */
  failure?: ApiFailure | undefined;
}

/** The last ones, newest first; beyond them only what is still to be accepted. */
const KEPT = 40;

export const asked = storedOfOwner<Asked[]>('jobs', [], (value) => value as Asked[], ofTab);

const known = new Map<string, Signal<Known>>();
onKeyChange(() => known.clear());

export function knownOf(key: string): Signal<Known> {
  const found = known.get(key) ?? signal<Known>({});
  // An answer may come late: of one that is on the list no more nothing is kept.
  if (asked.peek().some((one) => one.key === key)) known.set(key, found);
  return found;
}

export const isEnded = ({ view, failure }: Known): boolean =>
  failure !== undefined || (view !== undefined && !['queued', 'processing'].includes(view.status));

/** In memory and in the tab's storage before it is sent. */
export function ask(workflow: string, inputs: Inputs): Asked {
  const one = { key: randomKey(), workflow, inputs };
  const all = [one, ...asked.value];
  const kept = all.filter((other, at) => at < KEPT || isOnlyHere(other));
  for (const other of all) if (!kept.includes(other)) known.delete(other.key);
  asked.value = kept;
  return one;
}

/** It is still to be accepted: off the list, a reload would lose it. */
const isOnlyHere = ({ key, jobId }: Asked): boolean =>
  jobId === undefined && known.get(key)?.peek().failure === undefined;

export function forget(key: string): void {
  asked.value = asked.value.filter((one) => one.key !== key);
  known.delete(key);
}

/** What was deleted: what this tab shows of it goes. */
export function forgetJob(jobId: string): void {
  const one = asked.peek().find((one) => one.jobId === jobId);
  if (one) forget(one.key);
}

const underway = new Map<string, Promise<string>>();

export const isUnderway = ({ key }: Asked): boolean => underway.has(key);

/** Sent once at a time: the form and `follow.ts` may both ask for it. @throws ApiFailure that another try does not mend */
export function submit(one: Asked): Promise<string> {
  const found = underway.get(one.key) ?? send(one).finally(() => underway.delete(one.key));
  underway.set(one.key, found);
  return found;
}

/** Accepted once, however often it is sent. @throws ApiFailure that another try does not mend */
async function send({ key, workflow, inputs }: Asked): Promise<string> {
  const { job_id: jobId } = await call('POST /api/generate', {
    body: { workflow, ...inputs },
    headers: { 'Idempotency-Key': key },
  });
  asked.value = asked.value.map((one) => (one.key === key ? { ...one, jobId } : one));
  return jobId;
}

/** Also on pages that came by plain http, where browsers have no randomUUID. */
function randomKey(): string {
  return hexOf(crypto.getRandomValues(new Uint8Array(16)));
}
