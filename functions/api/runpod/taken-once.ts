// What RunPod's stream gives is taken from it by reading: a second read is empty, and by that its Python client knows the end. Which
// jobs' were taken is remembered by this process alone: another gives it once more.

const REMEMBERED = 10_000;

/** The first call for each id resolves with what `read` does, every later one with undefined. */
export function takenOnce(): <T>(id: string, read: () => Promise<T>) => Promise<T | undefined> {
  const taken = new Set<string>();
  return async (id, read) => {
    if (taken.has(id)) return undefined;
    if (taken.size >= REMEMBERED) taken.delete(taken.keys().next().value!);
    taken.add(id);
    try {
      return await read();
    } catch (error) {
      taken.delete(id);
      throw error;
    }
  };
}
