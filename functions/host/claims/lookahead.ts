// How many jobs a host holds at once: one runs, the others wait in its ComfyUI, so that it never waits for the next claim.

/** Work that lies ready in ComfyUI, seconds: claiming and submitting a job takes a part of it. */
const AHEAD = 0.2;
const MOST = 8;

/**
 * More than its slots where jobs are short. Only of a host that is alone: what it holds another could run, and the mean says
 * nothing of the next job.
 * @param alone no other host will ever claim from its queue
 * @param jobSeconds mean GPU seconds of the last jobs; undefined before the first
 */
export function slotsFor(slots: number, alone: boolean, jobSeconds: number | undefined): number {
  if (!alone || jobSeconds === undefined) return slots;
  return Math.max(slots, Math.min(MOST, Math.floor(AHEAD / Math.max(jobSeconds, AHEAD / MOST))));
}
