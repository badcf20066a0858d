// The seeder: a machine that fetches the models from the hub into the bucket, in the bucket's region. `npm run models -- seed
// --in-region` starts and follows it; it ends itself, and a new run resumes an interrupted one.

import { Stack } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import {
  type EndsItselfProps,
  roleThatEndsItself,
  subnetOf,
  templateThatEndsItself,
} from './one-shot-machine.ts';
import { hubTokenParameter } from './names.ts';

export class Seeder extends Construct {
  /** Where the machine is started. */
  readonly subnet: string;

  constructor(scope: Construct, id: string, props: EndsItselfProps) {
    super(scope, id);
    const { settings, network } = props;
    const role = roleThatEndsItself(this, props, 'Seeds the models of the ComfyUI API from the hub');
    const places = props.models.allow(role, {
      GetObject: ['models', 'manifest.json', 'seeding.json'],
      PutObject: ['models', 'manifest.json'],
      AbortMultipartUpload: ['models'],
      ListMultipartUploadParts: ['models'],
    });
    const parameter = hubTokenParameter(settings.name);
    role.addToPolicy(
      // Encrypted with the account's own SSM key, which every principal that may read the parameter may use.
      new PolicyStatement({
        actions: ['ssm:GetParameter'],
        resources: [
          Stack.of(this).formatArn({
            service: 'ssm',
            resource: 'parameter',
            resourceName: parameter.slice(1),
          }),
        ],
      }),
    );
    templateThatEndsItself(this, props, `${settings.name}-models-seeder`, role, {
      BOOT: 'seed',
      ...places,
      HUB_TOKEN_PARAMETER: parameter,
    });
    this.subnet = subnetOf(network);
  }
}
