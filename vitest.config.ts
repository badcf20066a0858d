// Tests in tiers, and the end of a file's name says in which it is:
// `*.unit.test.ts` start no process and open no port (test/support/unit-tier.ts holds them to it);
// `*.test.ts` need nothing but Node;
// `*.system.test.ts` need what a machine may lack: Python, moto, the AWS CLI, a browser, nginx, systemd, root.
// Two folders are by themselves: test/lambda builds Lambda's real runtime client first, and the twenty busy processes of
// test/chaos would disturb what measures time.

import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';

const UNIT = 'test/**/*.unit.test.ts';
const SYSTEM = 'test/**/*.system.test.ts';
const LAMBDA = 'test/lambda/**/*.test.ts';
const CHAOS = 'test/chaos/**/*.test.ts';

/** Each is chosen by its name: `vitest run --project unit`. Without one, all of them run. */
function tier(name: string, test: TestProjectInlineConfiguration['test']): TestProjectInlineConfiguration {
  return { extends: true, test: { name, globalSetup: 'test/support/dynamodb-local.ts', ...test } };
}

export default defineConfig({
  test: {
    // One a core: most of the time is waiting.
    maxWorkers: 2,
    // It says that it will want Node 22 one day.
    env: { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
    // DynamoDB Local takes several times as long as the embedded one.
    testTimeout: process.env['DYNAMODB_LOCAL'] ? 120_000 : 20_000,
    hookTimeout: process.env['DYNAMODB_LOCAL'] ? 120_000 : 30_000,
    projects: [
      // Half of their time is the reading of modules: two threads read each once.
      tier('unit', {
        include: [UNIT],
        globalSetup: [],
        setupFiles: 'test/support/unit-tier.ts',
        pool: 'threads',
        isolate: false,
      }),
      tier('node', { include: ['test/**/*.test.ts'], exclude: [UNIT, SYSTEM, LAMBDA, CHAOS] }),
      tier('system', { include: [SYSTEM] }),
      tier('lambda', {
        include: [LAMBDA],
        globalSetup: ['test/support/dynamodb-local.ts', 'test/lambda/setup.ts'],
      }),
      tier('chaos', { include: [CHAOS] }),
    ],
  },
});
