// Checks in lanes: the lanes run at once, the checks of a lane one after another, so that each one's seconds are its own.
// The lines come in the order of the checks.

import { type Check, type Finding, findingOf, lineOf, next } from '../doctor/check.ts';

export interface Timed {
  name: string;
  finding: Finding;
  /** Seconds of the check itself, without what it waited for. */
  seconds: number;
}

/** A lane begins after `after` has settled. */
export interface Lane {
  after?: Promise<unknown>;
  checks: Check[];
}

/** @param report called with each line, in the order of the checks */
export async function runLanes(lanes: Lane[], report: (line: string) => Promise<void>): Promise<Timed[]> {
  const running = lanes.flatMap(({ after = Promise.resolve(), checks }) => {
    let before = after.catch(() => undefined);
    return checks.map((check) => {
      const mine = before.then(() => timed(check));
      before = mine;
      return mine;
    });
  });
  const all: Timed[] = [];
  for (const one of running) {
    const { name, finding } = await one;
    await report(lineOf(name, finding));
    all.push(await one);
  }
  return all;
}

async function timed({ name, run }: Check): Promise<Timed> {
  const from = performance.now();
  const finding = await run().catch((error: unknown) => findingOf(error, unexpected));
  return { name, finding, seconds: (performance.now() - from) / 1000 };
}

/** A bug of this program, or an answer that is not this API's. */
function unexpected(error: unknown): Finding {
  const { message } = error as Error;
  return next(`it broke off: ${message}`, 'is it this API, of this release? --url');
}
