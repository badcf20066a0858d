// The API's time: how long ago something was is counted by the clock that wrote it down, however wrong this machine's is.

/** ms: an answer was on its way, and its header has whole seconds. */
const WITHIN = 10_000;

let ahead = 0;

/** @param date of an answer, as its header has it */
export function hearTime(date: string | null): void {
  const said = Date.parse(date ?? '');
  if (Number.isNaN(said)) return;
  const found = Date.now() - said;
  ahead = Math.abs(found) > WITHIN ? found : 0;
}

/** ms */
export const apiNow = (): number => Date.now() - ahead;
