// What the gallery is searched for: it stands in the address, so that a reload, the way back and a link that is shared keep it.

import type { JobStatus } from '../../api/types.ts';
import { linkTo } from '../../shell/route.ts';

export interface Filters {
  search: string;
  workflow: string;
  state: string;
  /** `name:value`. */
  label: string;
  /** Whose; empty: one's own. Only for admin. */
  owner: string;
}
export const NO_FILTERS: Filters = { search: '', workflow: '', state: '', label: '', owner: '' };

const NAMES = ['search', 'workflow', 'state', 'label', 'owner'] as const satisfies readonly (keyof Filters)[];

export const STATES = [
  'queued',
  'processing',
  'completed',
  'failed',
  'cancelled',
] as const satisfies readonly JobStatus['status'][];

/** Characters. Source: docs/api.md. */
export const LONGEST_SEARCH = 200;

/** What no field of the page can show. What is wrong with a label or an owner is said at its field. */
const IMPOSSIBLE: Partial<Record<keyof Filters, (value: string) => boolean>> = {
  search: (value) => value.length > LONGEST_SEARCH,
  state: (value) => !STATES.some((one) => one === value),
};

/** Of what an address may hold only these reach the API, and only what can be. */
export function filtersOf(query: URLSearchParams): Filters {
  const valueOf = (name: keyof Filters) => {
    const value = query.get(name) ?? '';
    return IMPOSSIBLE[name]?.(value) ? '' : value;
  };
  return Object.fromEntries(NAMES.map((name) => [name, valueOf(name)])) as unknown as Filters;
}

/** Those that are set. */
export function queryOf(filters: Filters): Partial<Filters> {
  return Object.fromEntries(Object.entries(filters).filter(([, value]) => value !== ''));
}

export const linkOf = (filters: Filters, ...rest: string[]): string =>
  linkTo('gallery', rest, queryOf(filters));

/** A search looks at up to 1,000 jobs: it is not asked again by itself. Source: docs/api.md. */
export const isSearch = ({ search, workflow, state, label }: Filters): boolean =>
  search !== '' || workflow !== '' || label !== '' || state === 'cancelled';

const TYPED: readonly (keyof Filters)[] = ['search', 'label', 'owner'];

/** While a person types the words of one search, the way back leads before it. */
export function isTypedOn(from: Filters, to: Filters): boolean {
  const changed = NAMES.filter((name) => from[name] !== to[name]);
  return changed.every((name) => TYPED.includes(name) && from[name] !== '' && to[name] !== '');
}
