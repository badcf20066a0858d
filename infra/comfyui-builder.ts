// The machine that installs ComfyUI for the GPU hosts: a launch template of its own, started by a person once for each
// version, which stores the archive that hosts then take, and ends itself. It is the only one that may write there: a host
// runs graphs, and what it could change other hosts would run.

import { Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import {
  type EndsItselfProps,
  roleThatEndsItself,
  subnetOf,
  templateThatEndsItself,
} from './one-shot-machine.ts';

export class ComfyUIBuilder extends Construct {
  /** What a person types. */
  readonly command: string;

  constructor(scope: Construct, id: string, props: EndsItselfProps) {
    super(scope, id);
    const { settings, models } = props;
    const role = roleThatEndsItself(this, props, 'Installs ComfyUI for the GPU hosts of the ComfyUI API');
    const places = models.allow(role, {
      GetObject: ['archives'],
      PutObject: ['archives'],
      AbortMultipartUpload: ['archives'],
    });
    const launchTemplateName = `${settings.name}-comfyui-builder`;
    templateThatEndsItself(this, props, launchTemplateName, role, {
      BOOT: 'build',
      ...places,
      COMFYUI_VERSION: settings.comfyuiVersion,
    });
    // A template that is changed keeps its first version as the default one.
    this.command = `aws ec2 run-instances --region ${Stack.of(this).region} --launch-template 'LaunchTemplateName=${launchTemplateName},Version=$Latest' --subnet-id ${subnetOf(props.network)} --query 'Instances[0].InstanceId' --output text`;
  }
}
