// Other people's rules, over all three stacks: CDK's own and cdk-nag's AwsSolutions. cfn-lint is in lint.system.test.ts.

import { App, Stack, Validations } from 'aws-cdk-lib';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { AwsSolutionsChecks } from 'cdk-nag';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { appWith } from './synth.ts';

// CDK's own rules too, as errors.
const { app, folder } = appWith(
  { alarmMail: 'ops@example.com', bakedImage: true },
  { '@aws-cdk/core:validateAgainstDefaultRules': true },
);

describe('cdk-nag', () => {
  test('finds nothing that is not acknowledged', { timeout: 180_000 }, () => {
    Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
    expect(() => app.synth()).not.toThrow();
  });

  test('would find what is not: a bucket as it comes', { timeout: 180_000 }, () => {
    const bare = new App({ outdir: join(folder, 'bare') });
    const bucket = new Bucket(new Stack(bare, 'Bare'), 'Bucket');
    Validations.of(bare).addPlugins(new AwsSolutionsChecks(bare));
    expect(() => bare.synth()).toThrow('AwsSolutions-S10');
    expect(bucket.node.path).toBe('Bare/Bucket');
  });

  test('every acknowledgement is explained in a sentence', () => {
    const reasons = readdirSync('infra')
      .filter((file) => file.endsWith('.ts'))
      .flatMap((file) =>
        [...readFileSync(join('infra', file), 'utf8').matchAll(/reason:\s*(['"`])((?:(?!\1).)+)\1/gs)].map(
          ([, , reason]) => reason!,
        ),
      );
    expect(reasons.length).toBeGreaterThan(8);
    for (const reason of reasons) expect(reason).toMatch(/^[A-Z].{30,}\.$/);
  });
});
