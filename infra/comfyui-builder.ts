// The machine that installs ComfyUI for the GPU hosts: a launch template of its own, started by a person once for each
// version, which stores the archive that hosts then take, and ends itself. It is the only one that may write there: a host
// runs graphs, and what it could change other hosts would run.

import { Stack, Tags } from 'aws-cdk-lib';
import {
  BlockDeviceVolume,
  EbsDeviceVolumeType,
  InstanceInitiatedShutdownBehavior,
  InstanceType,
  LaunchTemplate,
  LaunchTemplateHttpTokens,
  MachineImage,
  UserData,
} from 'aws-cdk-lib/aws-ec2';
import { InstanceProfile, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Asset } from 'aws-cdk-lib/aws-s3-assets';
import { Construct } from 'constructs';
import type { ModelsBucket } from './buckets.ts';
import type { Network } from './network.ts';
import type { Settings } from './settings.ts';
import { userData } from './user-data.ts';

export interface ComfyUIBuilderProps {
  settings: Settings;
  network: Network;
  models: ModelsBucket;
  bundle: Asset;
  /** Of the user data, as hosts have it. */
  template: string;
}

/** Without a GPU: PyTorch is unpacked, not run on one. */
const INSTANCE_TYPE = 'c7i.xlarge';

export class ComfyUIBuilder extends Construct {
  /** What a person types. */
  readonly command: string;

  constructor(scope: Construct, id: string, props: ComfyUIBuilderProps) {
    super(scope, id);
    const { settings, network, bundle } = props;
    const role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('ec2.amazonaws.com'),
      description: 'Installs ComfyUI for the GPU hosts of the ComfyUI API',
    });
    role.addToPolicy(
      new PolicyStatement({
        actions: ['s3:GetObject'],
        resources: [bundle.bucket.arnForObjects(bundle.s3ObjectKey)],
      }),
    );
    const places = props.models.allow(role, {
      GetObject: ['archives'],
      PutObject: ['archives'],
      AbortMultipartUpload: ['archives'],
    });
    const launchTemplateName = `${settings.name}-comfyui-builder`;
    const launch = new LaunchTemplate(this, 'Template', {
      launchTemplateName,
      instanceType: new InstanceType(INSTANCE_TYPE),
      // The hosts' image: what is installed is bound to its Python.
      machineImage: MachineImage.resolveSsmParameterAtLaunch(settings.amiParameter),
      userData: UserData.custom(
        userData(props.template, {
          BOOT: 'build',
          ...places,
          AWS_REGION: settings.region,
          COMFYUI_VERSION: settings.comfyuiVersion,
          HOST_ASSET: `s3://${bundle.s3BucketName}/${bundle.s3ObjectKey}`,
        }),
      ),
      instanceProfile: new InstanceProfile(this, 'Profile', { role }),
      securityGroup: network.hosts,
      httpTokens: LaunchTemplateHttpTokens.REQUIRED,
      httpPutResponseHopLimit: 1,
      instanceInitiatedShutdownBehavior: InstanceInitiatedShutdownBehavior.TERMINATE,
      blockDevices: [
        {
          deviceName: '/dev/sda1',
          volume: BlockDeviceVolume.ebs(settings.rootGb, {
            volumeType: EbsDeviceVolumeType.GP3,
            encrypted: true,
            deleteOnTermination: true,
          }),
        },
      ],
    });
    Tags.of(launch).add('Name', launchTemplateName);
    const [subnet] = network.vpc.selectSubnets(network.hostSubnets).subnetIds;
    // A template that is changed keeps its first version as the default one.
    this.command = `aws ec2 run-instances --region ${Stack.of(this).region} --launch-template 'LaunchTemplateName=${launchTemplateName},Version=$Latest' --subnet-id ${subnet} --query 'Instances[0].InstanceId' --output text`;
  }
}
