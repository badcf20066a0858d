// The budget of requests that are held open: each has a place, and past the last place nobody is held. Where there are
// several owners, each leaves a quarter to others. All are let go when the process stops.

export interface Held {
  /**
   * Undefined: there is no place left, or the process is stopping. The place is free again when `client` (the request's
   * own signal) says that nobody listens any more.
   * @param owner who shares the places with others; undefined: there are no others
   */
  take(client: AbortSignal, owner: string | undefined): Place | undefined;
}

export interface Place {
  /** Comes when it is time to let go: the client is gone, the process stops, it has lasted too long, or `free`. */
  signal: AbortSignal;
  free(): void;
}

/** Of so many places one owner may have all but a quarter. */
export function shareOf(limit: number): number {
  return Math.max(1, limit - Math.ceil(limit / 4));
}

/** @param longest ms that one may be held */
export function createHeld(limit: number, longest: number, stopping: AbortSignal | undefined): Held {
  const places = new Set<Place & { owner: string | undefined }>();
  const ofOwner = shareOf(limit);
  const isShareTaken = (owner: string) =>
    [...places].filter((place) => place.owner === owner).length >= ofOwner;
  stopping?.addEventListener('abort', () => {
    for (const place of places) place.free();
  });
  return {
    take(client, owner) {
      if (places.size >= limit || stopping?.aborted) return undefined;
      if (owner !== undefined && isShareTaken(owner)) return undefined;
      const letGo = new AbortController();
      const free = () => {
        clearTimeout(late);
        client.removeEventListener('abort', free);
        places.delete(place);
        letGo.abort();
      };
      const late = setTimeout(free, longest);
      late.unref();
      const place = { signal: letGo.signal, free, owner };
      places.add(place);
      client.addEventListener('abort', free);
      if (client.aborted) free();
      return place;
    },
  };
}
