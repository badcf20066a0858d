// The budget of requests that are held open: each has a place, and past the last place nobody is held. Where there are
// several owners, each leaves a quarter to others. All are let go when the process stops.

export interface OpenConnections {
  /**
   * Undefined: there is no place left, or the process is stopping. The place is free again when `client` (the request's
   * own signal) says that nobody listens any more.
   * @param owner who shares the places with others; undefined: there are no others
   */
  take(client: AbortSignal, owner: string | undefined): Slot | undefined;
}

export interface Slot {
  /** Comes when it is time to let go: the client is gone, the process stops, it has lasted too long, or `free`. */
  signal: AbortSignal;
  free(): void;
}

/** Of so many places one owner may have all but a quarter. */
export function shareOf(limit: number): number {
  return Math.max(1, limit - Math.ceil(limit / 4));
}

/** @param longest ms that one may be held */
export function createOpenConnections(
  limit: number,
  longest: number,
  stopping: AbortSignal | undefined,
): OpenConnections {
  const slots = new Set<Slot & { owner: string | undefined }>();
  const ofOwner = shareOf(limit);
  const isShareTaken = (owner: string) => [...slots].filter((slot) => slot.owner === owner).length >= ofOwner;
  stopping?.addEventListener('abort', () => {
    for (const slot of slots) slot.free();
  });
  return {
    take(client, owner) {
      if (slots.size >= limit || stopping?.aborted) return undefined;
      if (owner !== undefined && isShareTaken(owner)) return undefined;
      const letGo = new AbortController();
      const free = () => {
        clearTimeout(late);
        client.removeEventListener('abort', free);
        slots.delete(slot);
        letGo.abort();
      };
      const late = setTimeout(free, longest);
      late.unref();
      const slot = { signal: letGo.signal, free, owner };
      slots.add(slot);
      client.addEventListener('abort', free);
      if (client.aborted) free();
      return slot;
    },
  };
}
