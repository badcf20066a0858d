// Who the caller is and what it may do.

import { computed, signal } from '@preact/signals';
import { call } from '../api/call.ts';
import type { Usage } from '../api/types.ts';

export const usage = signal<Usage | undefined>(undefined);

export async function loadUsage(): Promise<void> {
  usage.value = await call('GET /api/usage');
}

export const may = (scope: 'generate' | 'graphs' | 'read' | 'admin'): boolean =>
  usage.value?.scopes.includes(scope) ?? false;

export const owner = computed(() => usage.value?.owner);
