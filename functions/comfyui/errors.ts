// The three failures of a call to ComfyUI. A refusal is final and has a reason; after no answer the call is repeated, and
// its effect is unknown.

/** Their base class. `what`: the method and path that was called. */
export abstract class ComfyUIError extends Error {}

/**
 * Unknown outcome: no connection, no answer in time, an answer that breaks off, or one that is not ComfyUI's (a proxy's page,
 * 502 to 504, another program on its port). Ask again later.
 */
export class ComfyUISilent extends ComfyUIError {
  override readonly name = 'ComfyUISilent';
  constructor(
    what: string,
    options?: { cause: unknown },
    /** Something answered, though not as ComfyUI does: its process has not ended. */
    readonly answered = false,
  ) {
    super(`ComfyUI did not answer ${what}`, options);
  }

  /** The connection was refused: the call had no effect. */
  get nobodyThere(): boolean {
    for (let { cause } = this; cause instanceof Error; { cause } = cause)
      if ('code' in cause && cause.code === 'ECONNREFUSED') return true;
    return false;
  }
}

/** ComfyUI refused (4xx): a repetition would be refused too. */
export class ComfyUIRefused extends ComfyUIError {
  override readonly name = 'ComfyUIRefused';
  constructor(
    readonly what: string,
    readonly status: number,
    /** ComfyUI's own words, at most 500 characters; may be empty. */
    readonly reason: string,
  ) {
    super(`ComfyUI refused ${what} with ${status}${reason === '' ? '' : `: ${reason}`}`);
  }
}

/**
 * ComfyUI failed (500), or its answer is not as expected. A repetition is of no use for now; other calls may succeed.
 */
export class ComfyUIBroken extends ComfyUIError {
  override readonly name = 'ComfyUIBroken';
  constructor(what: string, how: string, options?: { cause: unknown }) {
    super(`ComfyUI broke at ${what}: ${how}`, options);
  }
}
