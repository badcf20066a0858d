// Images of the API for <img>, which cannot send a key: fetched with it once for all that show one, given up when none wants it any
// more, and kept for the next look.

import { useEffect, useState } from 'preact/hooks';
import { receive } from './call.ts';
import { onKeyChange } from './key.ts';
import { isGivenUp } from './pause.ts';

const KEPT = 300;

interface Picture {
  /** How many show it, or wait for it. */
  users: number;
  address: Promise<string>;
  /** `address`, once it is there. */
  made?: string;
  ending: AbortController;
}

/** By route and name; what was used last stands last. */
const pictures = new Map<string, Picture>();

onKeyChange(() => {
  for (const one of pictures.values()) discard(one);
  pictures.clear();
});

type Route = 'GET /api/image/{filename}' | 'GET /api/image/{filename}/thumbnail';

function take(id: string, route: Route, filename: string): Picture {
  const one = pictures.get(id) ?? begin(id, route, filename);
  one.users += 1;
  pictures.delete(id);
  pictures.set(id, one);
  return one;
}

function begin(id: string, route: Route, filename: string): Picture {
  const ending = new AbortController();
  const address = receive(route, { path: { filename }, signal: ending.signal }, imageOf).then(
    (blob) => (one.made = URL.createObjectURL(blob)),
  );
  const one: Picture = { users: 0, address, ending };
  // Another look asks again.
  address.catch(() => pictures.get(id) === one && pictures.delete(id));
  return one;
}

/** @throws TypeError where it is a proxy's page */
async function imageOf(response: Response): Promise<Blob> {
  const blob = await response.blob();
  if (blob.type.startsWith('text/html')) throw new TypeError('This is no image');
  return blob;
}

function release(id: string, one: Picture): void {
  one.users -= 1;
  if (one.users > 0) return;
  if (one.made === undefined) {
    one.ending.abort();
    // Another look begins anew.
    if (pictures.get(id) === one) pictures.delete(id);
    return;
  }
  for (const [other, { users }] of pictures) {
    if (pictures.size <= KEPT) break;
    if (users > 0) continue;
    discard(pictures.get(other)!);
    pictures.delete(other);
  }
}

function discard({ made, ending }: Picture): void {
  ending.abort();
  if (made !== undefined) URL.revokeObjectURL(made);
}

/** An address for <img>. Undefined while it is fetched; `gone`: it is not to be had. */
export function usePicture(
  filename: string | undefined,
  route: Route = 'GET /api/image/{filename}',
): { address?: string; gone?: boolean } {
  const [found, setFound] = useState<{ address?: string; gone?: boolean }>({});
  useEffect(() => {
    setFound({});
    if (filename === undefined) return undefined;
    let isWanted = true;
    const id = `${route} ${filename}`;
    const one = take(id, route, filename);
    one.address
      .then((address) => isWanted && setFound({ address }))
      .catch((error: unknown) => isWanted && !isGivenUp(error) && setFound({ gone: true }));
    return () => {
      isWanted = false;
      release(id, one);
    };
  }, [filename, route]);
  return found;
}
