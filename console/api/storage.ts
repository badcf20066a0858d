// What the browser keeps for this page. Where it allows none, or is full, what is kept lasts as long as the page, and nothing fails.

export interface Kept {
  get(name: string): string | null;
  set(name: string, text: string): void;
  remove(name: string): void;
  names(): string[];
}

/** Of this tab. */
export const ofTab = keptIn(() => sessionStorage);
/** Of all tabs, and of later ones. */
export const ofDevice = keptIn(() => localStorage);

/** @param open throws where the browser allows none, at each use */
function keptIn(open: () => Storage): Kept {
  /** What the browser did not take. */
  const refused = new Map<string, string>();
  const tried = <T>(use: (storage: Storage) => T, otherwise: T): T => {
    try {
      return use(open());
    } catch {
      return otherwise;
    }
  };
  return {
    get: (name) => refused.get(name) ?? tried((storage) => storage.getItem(name), null),
    set(name, text) {
      refused.delete(name);
      const isTaken = tried((storage) => {
        storage.setItem(name, text);
        return true;
      }, false);
      if (!isTaken) refused.set(name, text);
    },
    remove(name) {
      refused.delete(name);
      tried((storage) => storage.removeItem(name), undefined);
    },
    names: () => [...new Set([...refused.keys(), ...tried((storage) => Object.keys(storage), [])])],
  };
}
