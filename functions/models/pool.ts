// A pool of workers: each task goes to the worker that is free first, in the order in which tasks were given.

export interface Pool<Task, Done> {
  /** Rejects as the worker does. @param signal a task that has not begun when it is aborted never begins */
  run(task: Task, signal: AbortSignal): Promise<Done>;
}

/** @param workers each runs one task at a time */
export function createPool<Task, Done>(
  workers: ((task: Task, signal: AbortSignal) => Promise<Done>)[],
): Pool<Task, Done> {
  const free = [...workers];
  const waiting: ((worker: (typeof free)[number]) => Promise<void>)[] = [];

  function startNext(): void {
    while (free.length > 0 && waiting.length > 0) {
      const worker = free.shift()!;
      void waiting.shift()!(worker).then(() => {
        free.push(worker);
        startNext();
      });
    }
  }

  return {
    run: (task, signal) =>
      new Promise((resolve, reject) => {
        waiting.push(async (worker) => {
          try {
            signal.throwIfAborted();
            resolve(await worker(task, signal));
          } catch (error) {
            reject(error);
          }
        });
        startNext();
      }),
  };
}
