// How a call to ComfyUI may end without what was asked for. "It answered no" and "it did not answer" call for opposite
// things: the one is final and has a reason, the other is tried again, and nobody knows what it did.

/** What all of them are. `what`: the method and path that was called. */
export abstract class ComfyUIError extends Error {}

/**
 * Nobody knows: no connection, no answer in time, an answer that breaks off, or one that is not ComfyUI's own (a proxy's
 * page, 502 to 504, another program on its port). It may be back; ask again.
 */
export class ComfyUISilent extends ComfyUIError {
  override readonly name = 'ComfyUISilent';
  constructor(
    what: string,
    options?: { cause: unknown },
    /** Somebody answered, though not what was asked for: nothing has ended. */
    readonly answered = false,
  ) {
    super(`ComfyUI did not answer ${what}`, options);
  }

  /** Nothing listened at its port: nothing of the call has reached it. */
  get nobodyThere(): boolean {
    for (let { cause } = this; cause instanceof Error; { cause } = cause)
      if ('code' in cause && cause.code === 'ECONNREFUSED') return true;
    return false;
  }
}

/** It answered no (4xx): asked again, it says the same. */
export class ComfyUIRefused extends ComfyUIError {
  override readonly name = 'ComfyUIRefused';
  constructor(
    readonly what: string,
    readonly status: number,
    /** Its own words, where it has any: at most 500 characters. */
    readonly reason: string,
  ) {
    super(`ComfyUI refused ${what} with ${status}${reason === '' ? '' : `: ${reason}`}`);
  }
}

/**
 * It answered that it broke (500), or said what is not what it says there: of this one thing nothing else is to be had
 * for now, and other things may go well.
 */
export class ComfyUIBroken extends ComfyUIError {
  override readonly name = 'ComfyUIBroken';
  constructor(what: string, how: string, options?: { cause: unknown }) {
    super(`ComfyUI broke at ${what}: ${how}`, options);
  }
}
