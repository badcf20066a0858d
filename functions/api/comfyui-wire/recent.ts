// The last of what was added: a set that forgets the oldest.

export interface Recent {
  has(one: string): boolean;
  add(one: string): void;
}

export function createRecent(limit: number): Recent {
  const kept = new Set<string>();
  return {
    has: (one) => kept.has(one),
    add(one) {
      kept.add(one);
      if (kept.size > limit) kept.delete(kept.values().next().value!);
    },
  };
}
