// A day of traffic: the arrival times of jobs. A seeded Poisson process whose rate follows the day, so that a table is
// reproducible.

export const DAY_SECONDS = 86_400;
/** Amplitude of the rate as a part of its mean: a fifth of the mean at night, 1.8 times the mean in the afternoon. */
const SWING = 0.8;
const PEAK_AT = 15 * 3600;
const PEAK = 1 + SWING;

/**
 * Given their number, the arrivals of a Poisson process are independent draws from its rate.
 * @returns seconds from midnight, ascending
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

/** The rate as a multiple of its mean. */
function rateAt(second: number): number {
  return 1 + SWING * Math.cos((2 * Math.PI * (second - PEAK_AT)) / DAY_SECONDS);
}

/** A counter with mixed bits (splitmix, 32 bits), good enough for a table. Values in [0, 1). */
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

/** Hosts for the peak rate and a quarter more; at least two, as in a deployment. */
export function hostsFor(jobs: number, secondsPerJob: number): number {
  return Math.max(2, Math.ceil((1.25 * PEAK * jobs * secondsPerJob) / DAY_SECONDS));
}
