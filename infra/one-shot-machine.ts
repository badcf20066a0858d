// A one-shot machine without a GPU, which a person starts and which ends itself: a launch template with the image, the bundle
// and the user data of hosts, and a role of its own. The boot script defines its work, the caller of this file its rights.

import { Tags } from 'aws-cdk-lib';
import { InstanceInitiatedShutdownBehavior, InstanceType, LaunchTemplate } from 'aws-cdk-lib/aws-ec2';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Asset } from 'aws-cdk-lib/aws-s3-assets';
import type { Construct } from 'constructs';
import type { ModelsBucket } from './buckets.ts';
import { launchProps } from './machine-launch.ts';
import type { Network } from './network.ts';
import type { Settings } from './settings.ts';
import { type OneThing, userData } from './user-data.ts';

export interface EndsItselfProps {
  settings: Settings;
  network: Network;
  models: ModelsBucket;
  bundle: Asset;
  /** The user data template of the hosts. */
  template: string;
}

/** Without a GPU: it fetches and unpacks, and runs no model. */
const INSTANCE_TYPE = 'c7i.xlarge';

/** May read the bundle; the caller grants the rest. */
export function roleThatEndsItself(scope: Construct, { bundle }: EndsItselfProps, description: string): Role {
  const role = new Role(scope, 'Role', {
    assumedBy: new ServicePrincipal('ec2.amazonaws.com'),
    description,
  });
  role.addToPolicy(
    new PolicyStatement({
      actions: ['s3:GetObject'],
      resources: [bundle.bucket.arnForObjects(bundle.s3ObjectKey)],
    }),
  );
  return role;
}

export function templateThatEndsItself(
  scope: Construct,
  { settings, network, bundle, template }: EndsItselfProps,
  launchTemplateName: string,
  role: Role,
  parameters: OneThing,
): void {
  const launch = new LaunchTemplate(scope, 'Template', {
    launchTemplateName,
    instanceType: new InstanceType(INSTANCE_TYPE),
    ...launchProps(scope, {
      settings,
      network,
      role,
      // The hosts' image: the installation is bound to its Python.
      imageParameter: settings.amiParameter,
      userData: userData(template, {
        ...parameters,
        AWS_REGION: settings.region,
        HOST_ASSET: `s3://${bundle.s3BucketName}/${bundle.s3ObjectKey}`,
      }),
    }),
    instanceInitiatedShutdownBehavior: InstanceInitiatedShutdownBehavior.TERMINATE,
  });
  Tags.of(launch).add('Name', launchTemplateName);
}

/** Any of the hosts' subnets. */
export function subnetOf(network: Network): string {
  return network.vpc.selectSubnets(network.hostSubnets).subnetIds[0]!;
}
