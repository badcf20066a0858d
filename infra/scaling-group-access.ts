// Who may do what with the group of the GPU hosts, and what it is called for them. By its name, which is known before it
// exists and binds no stack to the other.

import { ArnFormat, Stack, Validations } from 'aws-cdk-lib';
import { PolicyStatement, type Role } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { asNagWrites, groupName } from './names.ts';

type GroupAction =
  | 'SetDesiredCapacity'
  | 'TerminateInstanceInAutoScalingGroup'
  | 'SuspendProcesses'
  | 'UpdateAutoScalingGroup';

/** Grants, and says which group it is: a part of the function's environment. */
export function allowOnGroup(
  role: Role,
  name: string,
  actions: GroupAction[],
): { AUTO_SCALING_GROUP: string } {
  role.addToPolicy(groupStatement(role, name, actions));
  return { AUTO_SCALING_GROUP: groupName(name) };
}

/** @param scope whose policy it will be: what cdk-nag says of it is answered there */
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
