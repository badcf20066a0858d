// Many errands, few who run them: each errand goes to whoever is free first, in the order in which they were given.

export interface Crew<Errand, Done> {
  /** @param signal what has not begun when it is aborted never does */
  run(errand: Errand, signal: AbortSignal): Promise<Done>;
}

/** @param places of one errand at a time each */
export function createCrew<Errand, Done>(
  places: ((errand: Errand, signal: AbortSignal) => Promise<Done>)[],
): Crew<Errand, Done> {
  const free = [...places];
  const waiting: ((place: (typeof free)[number]) => Promise<void>)[] = [];

  function goOn(): void {
    while (free.length > 0 && waiting.length > 0) {
      const place = free.shift()!;
      void waiting.shift()!(place).then(() => {
        free.push(place);
        goOn();
      });
    }
  }

  return {
    run: (errand, signal) =>
      new Promise((resolve, reject) => {
        waiting.push(async (place) => {
          try {
            signal.throwIfAborted();
            resolve(await place(errand, signal));
          } catch (error) {
            reject(error);
          }
        });
        goOn();
      }),
  };
}
