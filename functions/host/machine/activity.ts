// How long this machine has had nothing to do: it ends itself after its idle limit. Times are ms awake.

export interface Activity {
  /** It holds a job, or has become ready to. */
  busy(): void;
  /** Ms since then; below 0 is 0. @param isReady a host that starts is given `startLimit` more */
  idleFor(isReady: boolean): number;
}

export function createActivity(awake: () => number, startLimit: number): Activity {
  let busyAt = awake();
  return {
    busy() {
      busyAt = awake();
    },
    idleFor: (isReady) => Math.max(0, awake() - (isReady ? busyAt : busyAt + startLimit)),
  };
}
