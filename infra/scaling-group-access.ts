// Access to the Auto Scaling group of the GPU hosts: permissions, and its name in environments. The group is referenced by
// name, which is known before the group exists and ties no stacks together.

import { ArnFormat, Stack, Validations } from 'aws-cdk-lib';
import { PolicyStatement, type Role } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { asNagWrites, groupName } from './names.ts';

type GroupAction =
  | 'SetDesiredCapacity'
  | 'TerminateInstanceInAutoScalingGroup'
  | 'SuspendProcesses'
  | 'UpdateAutoScalingGroup';

/** Grants access, and returns the environment variable that names the group. */
export function allowOnGroup(
  role: Role,
  name: string,
  actions: GroupAction[],
): { AUTO_SCALING_GROUP: string } {
  role.addToPolicy(groupStatement(role, name, actions));
  return { AUTO_SCALING_GROUP: groupName(name) };
}

/** @param scope the construct that owns the policy; cdk-nag's findings are acknowledged there */
export function groupStatement(scope: Construct, name: string, actions: GroupAction[]): PolicyStatement {
  const arn = Stack.of(scope).formatArn({
    service: 'autoscaling',
    resource: 'autoScalingGroup',
    resourceName: `*:autoScalingGroupName/${groupName(name)}`,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
  Validations.of(scope).acknowledge({
    id: `AwsSolutions-IAM5[Resource::${asNagWrites(scope, arn)}]`,
    reason: "An Auto Scaling group's ARN has a random id in its middle; the name behind it is this group's.",
  });
  return new PolicyStatement({ actions: actions.map((action) => `autoscaling:${action}`), resources: [arn] });
}
