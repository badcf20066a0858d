// The entry of `cdk synth` and `cdk deploy`: reads the context, adds the stacks, checks them and writes cdk.out.
// An invalid setting ends it with a one-sentence error.

import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { readSettings, SettingError } from './settings.ts';
import { addStacks } from './stacks.ts';

try {
  const app = new App();
  addStacks(app, readSettings(app.node.getAllContext()), {
    built: '.build',
    script: 'infra/host/user-data.sh',
  });
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  app.synth();
} catch (error) {
  if (!(error instanceof SettingError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
