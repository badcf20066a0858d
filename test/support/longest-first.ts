// The order of files where no earlier run has left its times, as in CI: those that take longest come first, so that no
// worker ends alone with one of them. Everything else is Vitest's own order.

import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** From half a minute up, longest first. */
const LONG = ['test/infra/checks.test.ts'];

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const at = LONG.findIndex((path) => moduleId.endsWith(path));
      return at === -1 ? LONG.length : at;
    };
    return (await super.sort(files)).toSorted((one, other) => rank(one) - rank(other));
  }
}
