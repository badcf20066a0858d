// Zone rebalancing launches a host that the controller did not ask for and ends a busy one. CloudFormation has no property
// that disables it, so one call is made when the group is created.

import { RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import type { AutoScalingGroup } from 'aws-cdk-lib/aws-autoscaling';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { AwsCustomResource, AwsCustomResourcePolicy, PhysicalResourceId } from 'aws-cdk-lib/custom-resources';
import { Construct } from 'constructs';
import { groupStatement } from './scaling-group-access.ts';
import { groupName } from './names.ts';

export class SuspendAzRebalance extends Construct {
  constructor(scope: Construct, id: string, { group, name }: { group: AutoScalingGroup; name: string }) {
    super(scope, id);
    const call = new AwsCustomResource(this, 'Call', {
      onUpdate: {
        service: 'auto-scaling',
        action: 'SuspendProcesses',
        parameters: { AutoScalingGroupName: groupName(name), ScalingProcesses: ['AZRebalance'] },
        physicalResourceId: PhysicalResourceId.of(`${groupName(name)}-suspend-az-rebalance`),
      },
      installLatestAwsSdk: false,
      logGroup: new LogGroup(this, 'Logs', {
        retention: RetentionDays.ONE_MONTH,
        removalPolicy: RemovalPolicy.DESTROY,
      }),
      policy: AwsCustomResourcePolicy.fromStatements([groupStatement(this, name, ['SuspendProcesses'])]),
    });
    call.node.addDependency(group);
    // CDK's own function, shared by all such calls of the stack.
    const caller = `AWS${AwsCustomResource.PROVIDER_FUNCTION_UUID.replaceAll('-', '')}`;
    Validations.of(Stack.of(this).node.findChild(caller)).acknowledge({
      id: 'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole]',
      reason:
        "CDK gives its own function AWS's policy for writing logs; it may do that and suspend this group's process.",
    });
  }
}
