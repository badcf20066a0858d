// What the gallery is searched for: it stands in the address, so that a reload, the way back and a link that is shared keep it.

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

/** Of what an address may hold only these reach the API. */
export function filtersOf(query: URLSearchParams): Filters {
  return Object.fromEntries(NAMES.map((name) => [name, query.get(name) ?? ''])) as unknown as Filters;
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
