// The GPU hosts: an Auto Scaling group of 0 to N, which the controller raises and which each host leaves by itself. Owns the
// launch template; a host's permissions are in host-role.ts, its boot in infra/host.

import { Annotations, Tags, Validations } from 'aws-cdk-lib';
import { AutoScalingGroup, OnDemandAllocationStrategy } from 'aws-cdk-lib/aws-autoscaling';
import { type CfnLaunchTemplate, InstanceType, LaunchTemplate } from 'aws-cdk-lib/aws-ec2';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import { Construct } from 'constructs';
import { readFileSync } from 'node:fs';
import type { ImagesBucket, ModelsBucket } from './buckets.ts';
import { ComfyUIBuilder } from './comfyui-builder.ts';
import { HostImage } from './host-image.ts';
import { HostRole } from './host-role.ts';
import { launchProps } from './machine-launch.ts';
import { groupName, hostImageParameter, namespaceOf } from './names.ts';
import { INTAKE_PORT, type Network } from './network.ts';
import { SuspendAzRebalance } from './suspend-az-rebalance.ts';
import { Seeder } from './seeder.ts';
import { type Settings, unpricedTypes } from './settings.ts';
import type { Tables } from './tables.ts';
import { type HostSettings, releaseOf, userData } from './user-data.ts';

export interface GpuHostsProps {
  settings: Settings;
  network: Network;
  tables: Tables;
  images: ImagesBucket;
  models: ModelsBucket;
  /** The folder of the host's bundle, and the file with the user data template. */
  bundle: string;
  script: string;
}

export class GpuHosts extends Construct {
  readonly release: string;
  /** The command that prepares ComfyUI for the hosts. */
  readonly buildCommand: string;
  /** Where the seeder is started. */
  readonly seedSubnet: string;
  /** Outputs of the hosts' own image, if it is enabled. */
  readonly image: HostImage | undefined;

  constructor(scope: Construct, id: string, props: GpuHostsProps) {
    super(scope, id);
    const { settings, network } = props;
    const bundle = new Asset(this, 'Bundle', { path: props.bundle });
    const template = readFileSync(props.script, 'utf8');
    this.release = releaseOf(bundle.assetHash, settings.comfyuiVersion, template);

    const { role, places } = new HostRole(this, 'Host', { ...props, bundle });
    const hostSettings: HostSettings = {
      ...places,
      AWS_REGION: settings.region,
      METRICS_NAMESPACE: namespaceOf(settings.name),
      RELEASE: this.release,
      IDLE_MINUTES: String(settings.idleMinutes),
      SLOTS: String(settings.slots),
      IMAGE_METADATA: settings.imageMetadata,
      WARM_UP: String(settings.warmUp),
      INTAKE_PORT: String(INTAKE_PORT),
      COMFYUI_VERSION: settings.comfyuiVersion,
      USD_PER_HOUR_BY_TYPE: this.#prices(settings),
    };

    const launch = new LaunchTemplate(
      this,
      'Template',
      launchProps(this, {
        settings,
        network,
        role,
        // Resolved at each launch: hosts get driver security fixes, or a new image of their own, without a deployment.
        imageParameter: settings.bakedImage ? hostImageParameter(settings.name) : settings.amiParameter,
        userData: userData(template, hostSettings),
      }),
    );
    Tags.of(launch).add('Name', `${settings.name}-gpu-host`);
    if (settings.bakedImage) {
      this.image = new HostImage(this, 'Image', { ...props, bundle, template, release: this.release });
      launch.node.addDependency(this.image);
      // Without a rate S3 loads blocks at first read, at no guaranteed speed: PyTorch alone would take minutes.
      (launch.node.defaultChild as CfnLaunchTemplate).addPropertyOverride(
        'LaunchTemplateData.BlockDeviceMappings.0.Ebs.VolumeInitializationRate',
        300,
      );
    }
    const group = this.#group(launch, settings, network);
    new SuspendAzRebalance(this, 'SuspendAzRebalance', { group, name: settings.name });
    this.buildCommand = new ComfyUIBuilder(this, 'Builder', { ...props, bundle, template }).command;
    this.seedSubnet = new Seeder(this, 'Seeder', { ...props, bundle, template }).subnet;
  }

  /** A type without a price runs too; its jobs report no cost. */
  #prices(settings: Settings): string {
    const { region, instanceTypes, usdPerHour } = settings;
    const unpriced = unpricedTypes(settings);
    if (unpriced.length > 0)
      Annotations.of(this).addWarningV2(
        'comfyui:no-price',
        `usdPerHour has no price for ${unpriced.join(', ')} in ${region}: cost_usd of jobs there is null, and no owner's limit in dollars counts them. npm run doctor prints AWS's prices.`,
      );
    return instanceTypes
      .filter((type) => !unpriced.includes(type))
      .map((type) => `${type}=${usdPerHour[region]![type]}`)
      .join(',');
  }

  #group(launchTemplate: LaunchTemplate, settings: Settings, network: Network): AutoScalingGroup {
    const group = new AutoScalingGroup(this, 'Group', {
      autoScalingGroupName: groupName(settings.name),
      vpc: network.vpc,
      vpcSubnets: network.hostSubnets,
      // No desired capacity: the controller owns it, and a deployment must not reset it.
      minCapacity: 0,
      maxCapacity: settings.maxHosts,
      newInstancesProtectedFromScaleIn: true,
      mixedInstancesPolicy: {
        launchTemplate,
        launchTemplateOverrides: settings.instanceTypes.map((type) => ({
          instanceType: new InstanceType(type),
        })),
        instancesDistribution: {
          onDemandBaseCapacity: 0,
          onDemandPercentageAboveBaseCapacity: settings.spot ? 0 : 100,
          onDemandAllocationStrategy: OnDemandAllocationStrategy.PRIORITIZED,
          spotAllocationStrategy: settings.spotStrategy,
        },
      },
    });
    Validations.of(group).acknowledge(
      {
        id: 'AwsSolutions-AS3',
        reason:
          'Launches and ends are the normal life of this group; what a person must know (a start that fails, hosts at their maximum) has alarms of its own.',
      },
      {
        id: 'AwsSolutions-EC26',
        reason:
          'The rule cannot read a group that launches by a template; the disk is encrypted there, and a test says so.',
      },
    );
    return group;
  }
}
