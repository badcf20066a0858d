// Inputs that are named by an address are few: what fetches them is imported for the first.

import { once } from '../http/fixed.ts';
import type { createUrlInputs, UrlInputs } from './url-inputs.ts';

export function lazyUrlInputs(deps: Parameters<typeof createUrlInputs>[0]): UrlInputs {
  const loaded = once(async () => (await import('./url-inputs.ts')).createUrlInputs(deps));
  return { take: async (...asked) => (await loaded()).take(...asked) };
}
