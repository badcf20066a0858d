// Problems with models and their bucket that a person can solve. Bugs stay plain errors with their stack.

/** The message is one sentence that says what to do, for the boot log or the terminal. */
export class ModelsProblem extends Error {
  override readonly name = 'ModelsProblem';
}
