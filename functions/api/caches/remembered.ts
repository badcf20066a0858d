// What is remembered by name for a while, of so many names: the one that was asked for first makes room.

const NAMES = 1000;

/** A promise that fails is forgotten. @param period ms */
export function remembered<T>(period: number, now: () => number) {
  const held = new Map<string, { value: T; at: number }>();
  const find = (name: string) => {
    const one = held.get(name);
    return one && now() - one.at < period ? one.value : undefined;
  };
  const set = (name: string, value: T) => {
    held.delete(name);
    if (held.size >= NAMES) held.delete(held.keys().next().value!);
    held.set(name, { value, at: now() });
  };
  return {
    find,
    set,
    forget: (name: string) => held.delete(name),
    get(name: string, make: () => T): T {
      const there = find(name);
      if (there !== undefined) return there;
      const value = make();
      set(name, value);
      if (value instanceof Promise) value.catch(() => held.delete(name));
      return value;
    },
  };
}
