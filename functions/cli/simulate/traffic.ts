// A day of traffic: when jobs come. A Poisson process whose rate follows the day, from a seed, so that a table can be
// made again.

export const DAY_SECONDS = 86_400;
/** The rate swings by so much of its mean: at night a fifth of it, in the afternoon 1.8 times as much. */
const SWING = 0.8;
const PEAK_AT = 15 * 3600;
const PEAK = 1 + SWING;

/**
 * Given their number, the moments of a Poisson process are independent draws from its rate.
 * @returns seconds from midnight, in order
 */
export function arrivalsOf(jobs: number, seed: number): Float64Array {
  const random = randomFrom(seed);
  const arrivals = new Float64Array(jobs);
  for (let n = 0; n < jobs; n += 1) {
    let time: number;
    do time = random() * DAY_SECONDS;
    while (random() * PEAK > rateAt(time));
    arrivals[n] = time;
  }
  return arrivals.sort();
}

/** Of the mean. */
function rateAt(second: number): number {
  return 1 + SWING * Math.cos((2 * Math.PI * (second - PEAK_AT)) / DAY_SECONDS);
}

/** A counter whose bits are mixed (splitmix, 32 bits): enough for a table. In [0, 1). */
function randomFrom(seed: number): () => number {
  let counter = seed >>> 0;
  return () => {
    counter = (counter + 0x9e3779b9) >>> 0;
    let mixed = counter;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32;
  };
}

/** Enough for the peak and a quarter more; two at least, as a deployment has. */
export function hostsFor(jobs: number, secondsPerJob: number): number {
  return Math.max(2, Math.ceil((1.25 * PEAK * jobs * secondsPerJob) / DAY_SECONDS));
}
