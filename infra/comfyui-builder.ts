// The builder: a machine that installs ComfyUI for the GPU hosts, with a launch template of its own. A person starts it once
// for each version; it stores the archive that hosts fetch and ends itself. No other machine may write the archive: a host
// runs graphs, and a compromised one must not change what other hosts run.

import { Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import {
  type EndsItselfProps,
  roleThatEndsItself,
  subnetOf,
  templateThatEndsItself,
} from './one-shot-machine.ts';

export class ComfyUIBuilder extends Construct {
  /** The command that a person types. */
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
    // An updated launch template keeps its first version as the default, hence $Latest.
    this.command = `aws ec2 run-instances --region ${Stack.of(this).region} --launch-template 'LaunchTemplateName=${launchTemplateName},Version=$Latest' --subnet-id ${subnetOf(props.network)} --query 'Instances[0].InstanceId' --output text`;
  }
}
