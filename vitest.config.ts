import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // One a core: most of the time is waiting.
    maxWorkers: 2,
    // It says that it will want Node 22 one day.
    env: { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
    include: ['test/**/*.test.ts'],
    // Some twenty processes under load: by itself, with `npm run test:chaos`, or it disturbs what measures time.
    // And bundles under the real Lambda runtime client, which is built first, with `npm run test:lambda`.
    exclude: [
      ...(process.env['CHAOS'] ? [] : ['test/chaos/**']),
      ...(process.env['LAMBDA'] ? [] : ['test/lambda/**']),
    ],
    globalSetup: [
      'test/support/dynamodb-local.ts',
      ...(process.env['LAMBDA'] ? ['test/lambda/setup.ts'] : []),
    ],
    // DynamoDB Local takes several times as long as the embedded one.
    testTimeout: process.env['DYNAMODB_LOCAL'] ? 120_000 : 20_000,
    hookTimeout: process.env['DYNAMODB_LOCAL'] ? 120_000 : 30_000,
  },
});
