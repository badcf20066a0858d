// Images of the API for <img>, which cannot send a key: fetched with it, and kept as long as some are shown.

import { useEffect, useState } from 'preact/hooks';
import { send } from './call.ts';

const KEPT = 300;

/** By address; the oldest first. */
const made = new Map<string, Promise<string>>();

type Route = 'GET /api/image/{filename}' | 'GET /api/image/{filename}/thumbnail';

function load(route: Route, filename: string): Promise<string> {
  const id = `${route} ${filename}`;
  const found = made.get(id) ?? fetchOne(route, filename);
  // The last used is the last to go.
  made.delete(id);
  made.set(id, found);
  found.catch(() => made.delete(id));
  const [oldest] = made.keys();
  if (made.size > KEPT && oldest !== undefined) {
    void made.get(oldest)!.then((address) => URL.revokeObjectURL(address));
    made.delete(oldest);
  }
  return found;
}

async function fetchOne(route: Route, filename: string): Promise<string> {
  const response = await send(route, { path: { filename } });
  return URL.createObjectURL(await response.blob());
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
    load(route, filename)
      .then((address) => isWanted && setFound({ address }))
      .catch(() => isWanted && setFound({ gone: true }));
    return () => {
      isWanted = false;
    };
  }, [filename, route]);
  return found;
}
