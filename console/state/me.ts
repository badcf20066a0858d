// Who the caller is and what it may do.

import { computed, signal } from '@preact/signals';
import { call } from '../api/call.ts';
import { onKeyChange } from '../api/key.ts';
import { isGivenUp } from '../api/pause.ts';
import type { Usage } from '../api/types.ts';
import { become } from './private.ts';
import { allows, type Scope } from './scopes.ts';

/** Undefined until it is known; `unknown` says why it is not. */
export const usage = signal<Usage | undefined>(undefined);
export const unknown = signal<unknown>(undefined);

onKeyChange(() => {
  become(undefined);
  usage.value = undefined;
  unknown.value = undefined;
});

export async function loadUsage(): Promise<void> {
  unknown.value = undefined;
  try {
    const found = await call('GET /api/usage');
    become(found.owner);
    usage.value = found;
  } catch (error) {
    if (!isGivenUp(error)) unknown.value = error;
  }
}

export const may = (scope: Scope): boolean => usage.value !== undefined && allows(usage.value.scopes, scope);

export const owner = computed(() => usage.value?.owner);
