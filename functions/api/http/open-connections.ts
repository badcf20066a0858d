// The budget of open connections: each takes a slot, and without a free slot none is kept open. Where there are
// several owners, each leaves a quarter to others. All are let go when the process stops.

export interface OpenConnections {
  /**
   * Returns undefined if no slot is free or the process is stopping. The slot is freed when `client`, the request's own
   * signal, aborts.
   * @param owner shares the slots with other owners; undefined: there are none
   */
  take(client: AbortSignal, owner: string | undefined): Slot | undefined;
}

export interface Slot {
  /** Aborts when the client is gone, the process stops, the longest time is over, or `free` is called. */
  signal: AbortSignal;
  free(): void;
}

/** The most slots of one owner: all but a quarter of `limit`. */
export function shareOf(limit: number): number {
  return Math.max(1, limit - Math.ceil(limit / 4));
}

/** @param longest ms that a connection may stay open */
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
