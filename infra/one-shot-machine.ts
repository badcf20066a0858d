// A machine without a GPU that a person starts, that does one thing and ends itself: its launch template, with the image, the
// bundle and the user data of hosts, and a role of its own. What it does is the boot script's, what it may is whoever's it is.

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
  /** Of the user data, as hosts have it. */
  template: string;
}

/** Without a GPU: what it fetches and unpacks does not run on one. */
const INSTANCE_TYPE = 'c7i.xlarge';

/** May read the bundle; the rest is for whoever calls this. */
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
  told: OneThing,
): void {
  const launch = new LaunchTemplate(scope, 'Template', {
    launchTemplateName,
    instanceType: new InstanceType(INSTANCE_TYPE),
    ...launchProps(scope, {
      settings,
      network,
      role,
      // The hosts' image: what is installed is bound to its Python.
      imageParameter: settings.amiParameter,
      userData: userData(template, {
        ...told,
        AWS_REGION: settings.region,
        HOST_ASSET: `s3://${bundle.s3BucketName}/${bundle.s3ObjectKey}`,
      }),
    }),
    instanceInitiatedShutdownBehavior: InstanceInitiatedShutdownBehavior.TERMINATE,
  });
  Tags.of(launch).add('Name', launchTemplateName);
}

/** Any of those of hosts. */
export function subnetOf(network: Network): string {
  return network.vpc.selectSubnets(network.hostSubnets).subnetIds[0]!;
}
