// The GPU hosts' group and what it launches.

import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { machineHostSettings } from '../../functions/config/host.ts';
import { releaseOf, userData } from '../../infra/user-data.ts';
import { appWith, templatesWith } from './synth.ts';

const { gpuHosts } = templatesWith();
const GROUP = 'AWS::AutoScaling::AutoScalingGroup';

describe('the group', () => {
  test('sleeps at zero, and a deployment does not say how many run', () => {
    gpuHosts.hasResourceProperties(GROUP, {
      AutoScalingGroupName: 'comfyui-gpu-hosts',
      MinSize: '0',
      MaxSize: '2',
      DesiredCapacity: Match.absent(),
      NewInstancesProtectedFromScaleIn: true,
    });
  });

  test('is never replaced by a deployment: the controller rolls its hosts', () => {
    const [group] = Object.values(gpuHosts.findResources(GROUP));
    expect(group).not.toHaveProperty('UpdatePolicy.AutoScalingRollingUpdate');
    expect(group).not.toHaveProperty('UpdatePolicy.AutoScalingReplacingUpdate');
  });

  test('takes instance types in their order, on demand', () => {
    gpuHosts.hasResourceProperties(GROUP, {
      MixedInstancesPolicy: {
        InstancesDistribution: {
          OnDemandAllocationStrategy: 'prioritized',
          OnDemandPercentageAboveBaseCapacity: 100,
        },
        LaunchTemplate: {
          Overrides: ['g6e.2xlarge', 'g6e.4xlarge', 'g7e.2xlarge'].map((InstanceType) => ({ InstanceType })),
        },
      },
    });
  });

  test('takes spot instances where the context says so', () => {
    templatesWith({ spot: true }).gpuHosts.hasResourceProperties(GROUP, {
      MixedInstancesPolicy: {
        InstancesDistribution: {
          OnDemandPercentageAboveBaseCapacity: 0,
          SpotAllocationStrategy: 'capacity-optimized-prioritized',
        },
      },
    });
  });

  test('takes the cheapest of the spot instances that are likely to stay where the context says so', () => {
    const spotStrategy = 'price-capacity-optimized';
    templatesWith({ spot: true, spotStrategy }).gpuHosts.hasResourceProperties(GROUP, {
      MixedInstancesPolicy: { InstancesDistribution: { SpotAllocationStrategy: spotStrategy } },
    });
  });

  test('is not rebalanced between zones', () => {
    gpuHosts.hasResourceProperties('Custom::AWS', {
      Create: Match.serializedJson(
        Match.objectLike({
          action: 'SuspendProcesses',
          parameters: { AutoScalingGroupName: 'comfyui-gpu-hosts', ScalingProcesses: ['AZRebalance'] },
        }),
      ),
    });
  });
});

describe('the launch template', () => {
  const hasData = (LaunchTemplateData: object) =>
    gpuHosts.hasResourceProperties('AWS::EC2::LaunchTemplate', { LaunchTemplateData });

  test('asks for IMDSv2, one hop away', () => {
    hasData({ MetadataOptions: { HttpTokens: 'required', HttpPutResponseHopLimit: 1 } });
  });

  test('encrypts every disk', () => {
    const disks = Object.values(gpuHosts.findResources('AWS::EC2::LaunchTemplate')).flatMap(
      ({ Properties }) =>
        Properties.LaunchTemplateData.BlockDeviceMappings as { Ebs: Record<string, unknown> }[],
    );
    expect(disks.map(({ Ebs }) => [Ebs['Encrypted'], Ebs['VolumeType'], Ebs['VolumeSize']])).toEqual([
      [true, 'gp3', 100],
      [true, 'gp3', 100],
      [true, 'gp3', 100],
    ]);
  });

  test('has no key pair', () => {
    hasData({ KeyName: Match.absent() });
  });

  test('looks the machine image up at every launch', () => {
    hasData({
      ImageId:
        'resolve:ssm:/aws/service/deeplearning/ami/x86_64/base-oss-nvidia-driver-gpu-ubuntu-24.04/latest/ami-id',
    });
  });

  test('gives the host all that its settings ask for, but what only it knows', () => {
    const given = { ...settingsInUserData(), INSTANCE_ID: 'i-0123456789abcdef0' };
    expect(machineHostSettings(given)).toMatchObject({
      TABLE_PREFIX: 'comfyui-',
      AUTO_SCALING_GROUP: 'comfyui-gpu-hosts',
      METRICS_NAMESPACE: 'comfyui',
      IDLE_MINUTES: 10,
      SLOTS: 2,
      IMAGE_METADATA: 'keep',
      INTAKE_PORT: 5002,
    });
    expect(given).toMatchObject({
      AWS_REGION: 'us-east-1',
      COMFYUI_VERSION: '0.33.0',
      LOG_GROUP: '/comfyui/gpu-hosts',
      MODELS_BUCKET: 'comfyui-models-111122223333-us-east-1',
      HOST_ASSET: expect.stringMatching(
        /^s3:\/\/cdk-hnb659fds-assets-111122223333-us-east-1\/[0-9a-f]{64}\.zip$/,
      ),
      USD_PER_HOUR_BY_TYPE: 'g6e.2xlarge=2.24208,g6e.4xlarge=3.00424,g7e.2xlarge=3.36312',
    });
  });

  test('a type without a price in its region runs with a warning, and the host is told none', () => {
    const { gpuHosts: stack } = appWith({ region: 'eu-central-1', zones: [] });
    Annotations.fromStack(stack).hasWarning(
      '*',
      Match.stringLikeRegexp(
        'usdPerHour has no price for g6e.2xlarge, g6e.4xlarge, g7e.2xlarge in eu-central-1: cost_usd of jobs there is null',
      ),
    );
    expect(JSON.stringify(Template.fromStack(stack).toJSON())).toContain('USD_PER_HOUR_BY_TYPE=\\n');
  });

  test('holds no secret', () => {
    expect(Object.keys(settingsInUserData()).filter((name) => /SECRET|KEY|TOKEN|PASS/.test(name))).toEqual(
      [],
    );
    expect(JSON.stringify(gpuHosts.toJSON())).not.toContain('resolve:secretsmanager');
  });
});

describe('user data', () => {
  const settings = { NAME: 'value' } as never;

  test('a template without its place, or one that is too long, is refused', () => {
    expect(() => userData('#!/bin/bash\n', settings)).toThrow('no line @SETTINGS@');
    expect(() => userData(`@SETTINGS@\n${'#'.repeat(16 * 1024)}`, settings)).toThrow('over 16 KB');
  });

  test.each(['two words', 'a$b', '"a"', 'a;b', "it's", 'a\nb'])('the value %j is refused', (value) => {
    expect(() => userData('@SETTINGS@\n', { NAME: value } as never)).toThrow('NAME cannot stand');
  });
});

test('the release follows what a host runs, and no setting', () => {
  const release = releaseOf('bundle', '0.8.0', 'script');
  expect(release).toMatch(/^[0-9a-f]{16}$/);
  expect(releaseOf('bundle', '0.8.0', 'script')).toBe(release);
  for (const other of [
    releaseOf('bundle 2', '0.8.0', 'script'),
    releaseOf('bundle', '0.8.1', 'script'),
    releaseOf('bundle', '0.8.0', 'script 2'),
  ]) {
    expect(other).not.toBe(release);
  }
  expect(settingsInUserData(templatesWith({ maxHosts: 9, idleMinutes: 5 }).gpuHosts)['RELEASE']).toBe(
    settingsInUserData()['RELEASE'],
  );
});

describe('the builder of ComfyUI', () => {
  const [builder] = launchTemplates('comfyui-comfyui-builder');
  const data = builder!['LaunchTemplateData'] as Record<string, unknown>;

  test('ends itself for good, has the image, disk and network of a host, and no GPU', () => {
    const [host] = launchTemplates(undefined);
    const { BlockDeviceMappings, ImageId, MetadataOptions, SecurityGroupIds } = host![
      'LaunchTemplateData'
    ] as Record<string, unknown>;
    expect(data).toMatchObject({
      InstanceInitiatedShutdownBehavior: 'terminate',
      InstanceType: 'c7i.xlarge',
      BlockDeviceMappings,
      ImageId,
      MetadataOptions,
      SecurityGroupIds,
    });
    expect(data).not.toHaveProperty('KeyName');
    expect(data['IamInstanceProfile']).not.toEqual(
      (host!['LaunchTemplateData'] as Record<string, unknown>)['IamInstanceProfile'],
    );
  });

  test('is told what to build and where to put it', () => {
    const told = settingsOf(builder!);
    expect(told).toEqual({
      BOOT: 'build',
      AWS_REGION: 'us-east-1',
      COMFYUI_VERSION: '0.33.0',
      MODELS_BUCKET: 'comfyui-models-111122223333-us-east-1',
      HOST_ASSET: settingsInUserData()['HOST_ASSET'],
    });
  });

  test('is started by a command that the deployment prints', () => {
    const [output] = Object.values(gpuHosts.findOutputs('BuildCommand'));
    expect(JSON.stringify(output!['Value'])).toContain(
      "--launch-template 'LaunchTemplateName=comfyui-comfyui-builder,Version=$Latest' --subnet-id ",
    );
  });
});

describe('the seeder of the models', () => {
  const [builder] = launchTemplates('comfyui-comfyui-builder');
  const [seeder] = launchTemplates('comfyui-models-seeder');

  test('is a machine like the builder, which ends itself for good, with a role of its own', () => {
    const { UserData: _, IamInstanceProfile: its, TagSpecifications: tags, ...data } = dataOf(seeder);
    const { UserData: __, IamInstanceProfile: other, TagSpecifications: ___, ...like } = dataOf(builder);
    expect(data).toEqual(like);
    expect(its).not.toEqual(other);
    expect(JSON.stringify(tags)).toContain('{"Key":"Name","Value":"comfyui-models-seeder"}');
  });

  test('is told where models go and which parameter has the token', () => {
    expect(settingsOf(seeder!)).toEqual({
      BOOT: 'seed',
      AWS_REGION: 'us-east-1',
      MODELS_BUCKET: 'comfyui-models-111122223333-us-east-1',
      HUB_TOKEN_PARAMETER: '/comfyui/hub-token',
      HOST_ASSET: settingsInUserData()['HOST_ASSET'],
    });
  });

  test('is started in a subnet that the deployment says', () => {
    const [output] = Object.values(gpuHosts.findOutputs('SeedSubnet'));
    expect(JSON.stringify(output!['Value'])).toContain('Networkhosts');
  });
});

const dataOf = (launch: Record<string, unknown> | undefined) =>
  launch!['LaunchTemplateData'] as Record<string, unknown>;

function launchTemplates(name: string | undefined): Record<string, unknown>[] {
  return Object.values(gpuHosts.findResources('AWS::EC2::LaunchTemplate'))
    .map(({ Properties }) => Properties as Record<string, unknown>)
    .filter(({ LaunchTemplateName }) => LaunchTemplateName === name);
}

function settingsInUserData(template = gpuHosts): Record<string, string> {
  const [launch] = Object.values(template.findResources('AWS::EC2::LaunchTemplate')).filter(
    ({ Properties }) => Properties.LaunchTemplateName === undefined,
  );
  return settingsOf(launch!['Properties']);
}

/** As the instance reads them: with the account filled in. */
function settingsOf(launch: Record<string, unknown>): Record<string, string> {
  const { UserData } = launch['LaunchTemplateData'] as {
    UserData: { 'Fn::Base64': { 'Fn::Join': [string, (string | { Ref?: string; 'Fn::Sub'?: string })[]] } };
  };
  const [, parts] = UserData['Fn::Base64']['Fn::Join'];
  const text = parts
    .map((part) => (typeof part === 'string' ? part : (part['Fn::Sub'] ?? '${AWS::AccountId}')))
    .join('')
    .replaceAll('${AWS::AccountId}', '111122223333');
  return Object.fromEntries(
    [...text.matchAll(/^([A-Z][A-Z_0-9]+)=(\S*)$/gm)].map(([, name, value]) => [name!, value!]),
  );
}
