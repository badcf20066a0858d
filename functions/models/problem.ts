// What can be wrong with models and their bucket. It does not cover mistakes of ours: those stay plain errors, with their
// stack.

/** One sentence that says what to do, for whoever reads the boot log or typed the command. */
export class ModelsProblem extends Error {
  override readonly name = 'ModelsProblem';
}
