// What a key may do that has these scopes, as the API decides it. Pure.

import type { Usage } from '../api/types.ts';

export type Scope = Usage['scopes'][number];

/** `admin` has every scope, and who may send graphs may make jobs of workflows. */
export const allows = (scopes: readonly Scope[], wanted: Scope): boolean =>
  scopes.includes(wanted) || scopes.includes('admin') || (wanted === 'generate' && scopes.includes('graphs'));
