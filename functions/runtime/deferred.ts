// A promise that is settled from outside.

export interface Signal<T> {
  promise: Promise<T>;
  /** The first value counts. */
  resolve(value: T): void;
}

export function signal<T>(): Signal<T> {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((done) => {
    resolve = done;
  });
  return { promise, resolve: (value) => resolve(value) };
}
