// Tests in tiers, and the end of a file's name says in which it is:
// `*.unit.test.ts` start no process and open no port (test/support/unit-tier.ts holds them to it);
// `*.test.ts` need nothing but Node;
// `*.system.test.ts` need what a machine may lack: Python, moto, the AWS CLI, a browser, nginx, systemd, root.
// `dynamodb` runs the store's contract, which `node` runs on the embedded engine, on DynamoDB's too, and that engine's own.
// Two folders are by themselves: test/lambda builds Lambda's real runtime client first, and the twenty busy processes of
// test/chaos would disturb what measures time.

import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';
import { LongestFirst } from './test/support/longest-first.ts';

const UNIT = 'test/**/*.unit.test.ts';
const SYSTEM = 'test/**/*.system.test.ts';
const LAMBDA = 'test/lambda/**/*.test.ts';
const CHAOS = 'test/chaos/**/*.test.ts';
const DYNAMODB = 'test/store/dynamodb/*.test.ts';

/** The contract of the store's engines, and what leans on its finest points. */
const ON_BOTH = [
  'test/store/*.test.ts',
  DYNAMODB,
  'test/host/confirmed-write.test.ts',
  'test/controller/*.test.ts',
  'test/api/admin-*.test.ts',
];

/** Started when a tier has a file to run. */
const SHARED = ['test/support/dynamodb-local.ts', 'test/support/build.ts'];

/** Each is chosen by its name: `vitest run --project unit`. Without one, all of them run. */
function tier(name: string, test: TestProjectInlineConfiguration['test']): TestProjectInlineConfiguration {
  return { extends: true, test: { name, globalSetup: SHARED, ...test } };
}

export default defineConfig({
  test: {
    maxWorkers: 3,
    // A worker keeps the modules that it has read: reading them again for each file is half of a run. So a file leaves
    // behind no server, no timer and nothing in process.env. The few files of lambda and chaos have a worker each.
    isolate: false,
    sequence: { sequencer: LongestFirst },
    // It says that it will want Node 22 one day.
    env: { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
    // They end what hangs; what takes long on a busy machine has time.
    testTimeout: 120_000,
    hookTimeout: 180_000,
    expect: { poll: { timeout: 60_000 } },
    // What startStore() opens (test/support/store.ts).
    provide: { engine: 'embedded' },
    projects: [
      tier('unit', {
        include: [UNIT],
        globalSetup: [],
        setupFiles: 'test/support/unit-tier.ts',
        pool: 'threads',
      }),
      tier('node', { include: ['test/**/*.test.ts'], exclude: [UNIT, SYSTEM, LAMBDA, CHAOS, DYNAMODB] }),
      tier('dynamodb', { include: ON_BOTH, exclude: [UNIT], provide: { engine: 'dynamodb' } }),
      tier('system', { include: [SYSTEM] }),
      tier('lambda', {
        include: [LAMBDA],
        isolate: true,
        globalSetup: [...SHARED, 'test/lambda/setup.ts'],
      }),
      tier('chaos', { include: [CHAOS], isolate: true }),
    ],
  },
});
