// The order of files where no earlier run has left its times, as in CI: those that take longest come first, so that no
// worker ends alone with one of them. Everything else is Vitest's own order.

import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** From half a minute up, longest first. */
export const LONG = [
  'test/runbook/effects.system.test.ts',
  'test/infra-host/boot.system.test.ts',
  'test/runbook/programs.system.test.ts',
  'test/runbook/reads.system.test.ts',
  'test/readme.system.test.ts',
  'test/cli/doctor/doctor.system.test.ts',
  'test/compose/image.system.test.ts',
  'test/package.system.test.ts',
  'test/local/start.test.ts',
  'test/host/faulty-comfyui.test.ts',
  'test/cli/simulate/simulate.test.ts',
  'test/cli/generate.test.ts',
  'test/host/broken-comfyui.test.ts',
  'test/cli/deploy.test.ts',
  'test/webhooks/fair.test.ts',
  'test/webhooks/crash.test.ts',
  'test/api/fairness.test.ts',
  'test/api/readers.test.ts',
  'test/runtime/alone.test.ts',
  'test/api/follow.test.ts',
  'test/infra/checks.test.ts',
];

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const at = LONG.findIndex((path) => moduleId.endsWith(path));
      return at === -1 ? LONG.length : at;
    };
    return (await super.sort(files)).toSorted((one, other) => rank(one) - rank(other));
  }
}
