// How long this machine has been awake, for limits of work: a machine that sleeps does none. Monotonic clocks stand
// still in sleep on Linux only; so the clock on the wall is read often, and a step that is too long was a sleep.

/** @param step ms: asked less often than this it counts too little; @param wall ms. Yields ms since its making. */
export function createAwakeClock(step: number, wall: () => number = Date.now): () => number {
  let last = wall();
  let awake = 0;
  return () => {
    const at = wall();
    awake += Math.min(Math.max(0, at - last), step);
    last = at;
    return awake;
  };
}
