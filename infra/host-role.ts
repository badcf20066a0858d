// The permissions and the settings of a GPU host. A compromised host has this role: it changes jobs and creates none, reads
// models and the installed ComfyUI and changes neither, and reaches no parameter, no secret and no other machine.

import { RemovalPolicy, Validations } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { Asset } from 'aws-cdk-lib/aws-s3-assets';
import { Construct } from 'constructs';
import type { ImagesBucket, ModelsBucket } from './buckets.ts';
import { allowOnGroup } from './scaling-group-access.ts';
import { hostLogGroup } from './names.ts';
import type { Settings } from './settings.ts';
import type { Tables } from './tables.ts';

export interface HostRoleProps {
  settings: Settings;
  tables: Tables;
  images: ImagesBucket;
  models: ModelsBucket;
  bundle: Asset;
}

export class HostRole extends Construct {
  readonly role: Role;
  /** The resources that it may use, as environment variables. */
  readonly places;

  constructor(scope: Construct, id: string, props: HostRoleProps) {
    super(scope, id);
    const { settings } = props;
    const role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('ec2.amazonaws.com'),
      description: 'A GPU host of the ComfyUI API',
    });
    this.role = role;
    this.places = {
      ...props.tables.allow(role, {
        // Claims, starts and ends jobs. Each update is conditional on an existing item, so a host creates none; IAM cannot
        // enforce that condition: with a stolen role items can be created by update, but not by put.
        jobs: { items: ['GetItem', 'BatchGetItem', 'UpdateItem'], indexes: ['byWork'] },
        // The scan at the start finds what a former run of this machine left.
        hosts: { items: ['GetItem', 'PutItem', 'DeleteItem', 'Scan'] },
        // The number of other hosts, and whether this one stays up while idle.
        fleet: { items: ['GetItem'] },
        // Writes the secret that signs offers to it; it can read no host's secret.
        intakes: { items: ['PutItem', 'DeleteItem'] },
        // Writes what its jobs came to; it can read no other's.
        ledgers: { items: ['PutItem'] },
      }),
      ...props.images.allow(role, {
        GetObject: ['images', 'uploads', 'graphs', 'inventories'],
        // Derived: previews of what is being made.
        PutObject: ['images', 'derived', 'inventories'],
        // Large files go up in parts.
        AbortMultipartUpload: ['images'],
      }),
      ...props.models.allow(role, {
        GetObject: ['manifest.json', 'models', 'archives'],
      }),
      ...allowOnGroup(role, settings.name, ['TerminateInstanceInAutoScalingGroup']),
      ...this.#allowBundle(props.bundle),
      ...this.#allowLogs(settings),
    };
    // A host checks first whether it is already ending, since each call lowers the desired capacity by one.
    this.#allow(['autoscaling:DescribeAutoScalingGroups'], '*');
    this.#allowSessionManager();
  }

  #allowBundle(bundle: Asset): { HOST_ASSET: string } {
    this.#allow(['s3:GetObject'], bundle.bucket.arnForObjects(bundle.s3ObjectKey));
    return { HOST_ASSET: `s3://${bundle.s3BucketName}/${bundle.s3ObjectKey}` };
  }

  #allowLogs({ name, logDays }: Settings): { LOG_GROUP: string } {
    const group = new LogGroup(this, 'Logs', {
      logGroupName: hostLogGroup(name),
      retention: logDays,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.#allow(['logs:CreateLogStream', 'logs:DescribeLogStreams', 'logs:PutLogEvents'], group.logGroupArn);
    return { LOG_GROUP: hostLogGroup(name) };
  }

  /** A shell without a key or an open port. AWS's managed policy would also allow reading every parameter of the account. */
  #allowSessionManager(): void {
    this.#allow(
      [
        'ssm:UpdateInstanceInformation',
        'ssmmessages:CreateControlChannel',
        'ssmmessages:CreateDataChannel',
        'ssmmessages:OpenControlChannel',
        'ssmmessages:OpenDataChannel',
      ],
      '*',
    );
    Validations.of(this.role).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason:
        'Session Manager opens channels to the service, which are no resources that a policy could name, and Auto Scaling has no permission by resource for what it describes.',
    });
  }

  #allow(actions: string[], resource: string): void {
    this.role.addToPolicy(new PolicyStatement({ actions, resources: [resource] }));
  }
}
