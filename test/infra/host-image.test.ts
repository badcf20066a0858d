// The hosts' own image: what makes it, and that nothing of it is there where nobody asked for it.

import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { releaseOf } from '../../infra/user-data.ts';
import { templatesWith } from './synth.ts';

const { gpuHosts } = templatesWith({ bakedImage: true });
const { gpuHosts: without } = templatesWith();

interface Launch {
  LaunchTemplateName?: string;
  LaunchTemplateData: { ImageId: string; BlockDeviceMappings: { Ebs: Record<string, unknown> }[] };
}
const hostLaunch = (template = gpuHosts) =>
  Object.values(template.findResources('AWS::EC2::LaunchTemplate'))
    .map(({ Properties }) => Properties as Launch)
    .find(({ LaunchTemplateName }) => LaunchTemplateName === undefined)!.LaunchTemplateData;
const releaseIn = (template = gpuHosts) =>
  Object.values(template.findOutputs('Release')).map(({ Value }) => String(Value))[0]!;

/** An intrinsic text, as the agent reads it in some account. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  const join = (value as { 'Fn::Join'?: [string, unknown[]] })['Fn::Join'];
  return join ? join[1].map(textOf).join(join[0]) : '111122223333';
}

describe('where it is not asked for', () => {
  test('nothing of it is deployed, and hosts are launched from the image of AWS', () => {
    const types = Object.values(without.toJSON()['Resources'] as Record<string, { Type: string }>);
    expect(types.filter(({ Type }) => /ImageBuilder/.test(Type))).toEqual([]);
    expect(hostLaunch(without).ImageId).toMatch(/^resolve:ssm:\/aws\/service\/deeplearning\//);
    expect(hostLaunch(without).BlockDeviceMappings[0]!.Ebs).not.toHaveProperty('VolumeInitializationRate');
  });
});

describe('where it is', () => {
  test('hosts are launched from what a parameter names, whose blocks are fetched at a known rate', () => {
    expect(hostLaunch().ImageId).toBe('resolve:ssm:/comfyui/host-image');
    expect(hostLaunch().BlockDeviceMappings[0]!.Ebs).toMatchObject({ VolumeInitializationRate: 300 });
  });

  test('the parameter begins with the image of AWS, and no later deployment puts it back', () => {
    const calls = Object.values(gpuHosts.findResources('Custom::AWS'))
      .map(({ Properties }) => Properties as { Create?: unknown; Update?: unknown; Delete?: unknown })
      .filter(({ Create }) => textOf(Create).includes('PutParameter'));
    expect(calls).toHaveLength(1);
    expect(textOf(calls[0]!.Create)).toMatch(
      /"Name":"\/comfyui\/host-image","Type":"String","DataType":"aws:ec2:image","Value":"/,
    );
    expect(textOf(calls[0]!.Create)).toContain('ParameterAlreadyExists');
    expect(textOf(calls[0]!.Create)).not.toContain('Overwrite');
    expect(calls[0]).not.toHaveProperty('Update');
    expect(textOf(calls[0]!.Delete)).toContain('DeleteParameter');
  });

  test('it is made on the image of AWS by the script that hosts boot with, anew for each release', () => {
    const release = releaseIn();
    const ami = '/aws/service/deeplearning/ami/x86_64/base-oss-nvidia-driver-gpu-ubuntu-24.04/latest/ami-id';
    const recipeOf = (gb: number) => releaseOf(release, ami, String(gb));
    expect(recipeOf(100)).not.toBe(recipeOf(120));
    gpuHosts.hasResourceProperties('AWS::ImageBuilder::ImageRecipe', {
      Name: `comfyui-gpu-host-${recipeOf(100)}`,
      ParentImage: `ssm:${ami}`,
      BlockDeviceMappings: [{ DeviceName: '/dev/sda1', Ebs: { Encrypted: true, VolumeSize: 100 } }],
    });
    const [component] = Object.values(gpuHosts.findResources('AWS::ImageBuilder::Component'));
    expect(component!['Properties']['Name']).toBe(`comfyui-gpu-host-${release}`);
    const data = textOf(component!['Properties']['Data']);
    expect(data.length).toBeLessThan(16_000);
    expect(data).not.toContain('{{');
    const [phase] = (JSON.parse(data) as { phases: { steps: { action: string; inputs: object }[] }[] })
      .phases;
    const { action, inputs } = phase!.steps[0]!;
    const [script = ''] = (inputs as { commands: string[] }).commands;
    expect(action).toBe('ExecuteBash');
    expect(script).toMatch(/^#!\/bin\/bash\n/);
    const settings = [...script.matchAll(/^([A-Z][A-Z_]+)=(\S+)$/gm)].map(([, name]) => name);
    expect(settings).toEqual(['BOOT', 'MODELS_BUCKET', 'AWS_REGION', 'COMFYUI_VERSION', 'HOST_ASSET']);
    expect(script).toMatch(/^BOOT=image$/m);
  });

  test('its machine has no GPU, the network of a host, IMDSv2, and ends when it fails', () => {
    gpuHosts.hasResourceProperties('AWS::ImageBuilder::InfrastructureConfiguration', {
      InstanceTypes: ['c7i.xlarge'],
      TerminateInstanceOnFailure: true,
      InstanceMetadataOptions: { HttpTokens: 'required', HttpPutResponseHopLimit: 1 },
      SecurityGroupIds: [Match.anyValue()],
      SubnetId: Match.anyValue(),
    });
    gpuHosts.hasOutput('ImagePipeline', {});
  });

  test('its machine reads the bundle and the archive, and writes neither', () => {
    const [policy] = Object.entries(gpuHosts.findResources('AWS::IAM::Policy')).filter(([id]) =>
      id.startsWith('GpuHostsImageRole'),
    );
    const { Statement } = policy![1]['Properties'].PolicyDocument as { Statement: { Action: unknown }[] };
    expect(new Set(Statement.flatMap(({ Action }) => Action))).toEqual(
      new Set(['s3:GetObject', 's3:ListBucket']),
    );
  });
});
