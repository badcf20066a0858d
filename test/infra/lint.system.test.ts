// cfn-lint over the templates of all three stacks.

import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { appWith } from './synth.ts';

const isMissing = spawnSync('cfn-lint', ['--version']).error !== undefined;

test.skipIf(isMissing)('cfn-lint finds no error in the templates', { timeout: 300_000 }, () => {
  const { app, folder } = appWith({ alarmMail: 'ops@example.com', bakedImage: true });
  app.synth();
  const assembly = join(folder, 'cdk.out');
  const templates = readdirSync(assembly).flatMap((file) =>
    file.endsWith('.template.json') ? join(assembly, file) : [],
  );
  expect(templates).toHaveLength(3);
  const { status, stdout } = spawnSync(
    'cfn-lint',
    ['--non-zero-exit-code', 'error', '--format', 'parseable', ...templates],
    { encoding: 'utf8' },
  );
  expect({ status, errors: stdout.split('\n').filter((line) => /:E\d{4}:/.test(line)) }).toEqual({
    status: 0,
    errors: [],
  });
});
