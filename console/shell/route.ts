// Which page is shown: the part of the address after `#/`, so that the server has one page to serve and a link leads to any of
// them. Nothing secret stands there.

import { computed, signal } from '@preact/signals';

const hash = signal(location.hash);
addEventListener('hashchange', () => (hash.value = location.hash));

export interface Place {
  page: string;
  /** What follows the page's name. */
  rest: string[];
  query: URLSearchParams;
}

export function placeOf(text: string): Place {
  const [path = '', query = ''] = text.replace(/^#?\/?/, '').split('?', 2);
  const [page = '', ...rest] = path.split('/').map(decoded);
  return { page, rest, query: new URLSearchParams(query) };
}

/** An address that a person typed may hold anything. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export const place = computed(() => placeOf(hash.value));

/** `#/gallery/<id>?search=fox` */
export function linkTo(
  page: string,
  rest: readonly string[] = [],
  query: Record<string, string> = {},
): string {
  const asked = new URLSearchParams(query).toString();
  return `#/${[page, ...rest].map(encodeURIComponent).join('/')}${asked && `?${asked}`}`;
}

export function goTo(...to: Parameters<typeof linkTo>): void {
  follow(linkTo(...to));
}

/** @param inPlace of where one is: the way back does not lead there */
export function follow(link: string, inPlace = false): void {
  if (inPlace) history.replaceState(null, '', link);
  else location.hash = link;
  hash.value = location.hash;
}
