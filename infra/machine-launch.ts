// The launch settings of every machine, GPU host or one-shot: reachable by the forwarder alone, metadata only for its own
// processes, an encrypted disk that is deleted with it.

import {
  BlockDeviceVolume,
  EbsDeviceVolumeType,
  LaunchTemplateHttpTokens,
  type LaunchTemplateProps,
  MachineImage,
  UserData,
} from 'aws-cdk-lib/aws-ec2';
import { InstanceProfile, type Role } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import type { Network } from './network.ts';
import type { Settings } from './settings.ts';

export interface LaunchProps {
  settings: Settings;
  network: Network;
  role: Role;
  /** The SSM parameter with the image id, resolved at each launch. */
  imageParameter: string;
  userData: string;
}

export function launchProps(
  scope: Construct,
  { settings, network, role, imageParameter, userData }: LaunchProps,
): LaunchTemplateProps {
  return {
    machineImage: MachineImage.resolveSsmParameterAtLaunch(imageParameter),
    userData: UserData.custom(userData),
    instanceProfile: new InstanceProfile(scope, 'Profile', { role }),
    securityGroup: network.hosts,
    httpTokens: LaunchTemplateHttpTokens.REQUIRED,
    httpPutResponseHopLimit: 1,
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
  };
}
