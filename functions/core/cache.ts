// One cache for what is asked for more often than it must be read. A value is served until it is as old as `freshFor`
// allows; of callers that ask at the same time one reads. A failed read is not kept. The clock is an argument.

export interface CacheOptions<T> {
  /** ms */
  now: () => number;
  /**
   * How old a value may become, ms, counted from the beginning of its read; 0: every call reads.
   * @param took ms that the read took
   */
  freshFor: (value: T, took: number) => number;
  /** Until which age, ms, an older value is served while a new one is read. @param fresh as `freshFor` says; default: it */
  staleFor?: (fresh: number) => number;
  /** Names that are kept; the one that was read longest ago makes room. */
  names?: number;
}

interface Entry<T> {
  kept?: { value: T; at: number; took: number };
  reading?: Promise<T> | undefined;
}

export type Cache<T> = ReturnType<typeof createCache<T>>;

const NAMES = 1000;

/** By name. */
export function createCache<T>({ now, freshFor, staleFor, names = NAMES }: CacheOptions<T>) {
  const entries = new Map<string, Entry<T>>();

  function put(name: string, entry: Entry<T>): void {
    entries.delete(name);
    if (entries.size >= names) entries.delete(entries.keys().next().value!);
    entries.set(name, entry);
  }

  async function readInto(entry: Entry<T>, read: () => Promise<T>): Promise<T> {
    const at = now();
    try {
      const value = await read();
      entry.kept = { value, at, took: now() - at };
      return value;
    } finally {
      entry.reading = undefined;
    }
  }

  /** ms; infinite where nothing is kept, or the clock was set back and the age is unknown. */
  function ageOf({ kept }: Entry<T>): number {
    const age = kept ? now() - kept.at : Infinity;
    return age < 0 ? Infinity : age;
  }

  const freshnessOf = ({ kept }: Entry<T>) => (kept ? freshFor(kept.value, kept.took) : undefined);

  return {
    /** @throws what `read` throws */
    async get(name: string, read: () => Promise<T>): Promise<T> {
      const entry = entries.get(name) ?? {};
      const age = ageOf(entry);
      const fresh = freshnessOf(entry);
      if (entry.kept && age < fresh!) return entry.kept.value;
      put(name, entry);
      if (fresh === 0) return readInto(entry, read);
      entry.reading ??= readInto(entry, read);
      if (!entry.kept || !staleFor || age >= staleFor(fresh!)) return entry.reading;
      // Tried again by the next caller.
      entry.reading.catch(() => undefined);
      return entry.kept.value;
    },

    /** Keeps a value that is known without a read. */
    set: (name: string, value: T): void => put(name, { kept: { value, at: now(), took: 0 } }),

    /** The next call reads, whatever is being read now. */
    forget: (name: string): boolean => entries.delete(name),

    /** Is there a fresh value, or is one being read? */
    has(name: string): boolean {
      const entry = entries.get(name);
      return entry !== undefined && (entry.reading !== undefined || ageOf(entry) < freshnessOf(entry)!);
    },
  };
}

/** Of one thing. */
export function cached<T>(read: () => Promise<T>, options: CacheOptions<T>): () => Promise<T> {
  const cache = createCache(options);
  return () => cache.get('', read);
}
