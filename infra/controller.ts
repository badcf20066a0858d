// The controller: runs once a minute, and as soon as a job begins to wait. It returns the jobs of dead hosts to the queue,
// ends expired ones and raises the number of hosts; it may change this deployment's group and no other.

import { Duration, Validations } from 'aws-cdk-lib';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { PolicyStatement, type Role } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import type { ControllerLambdaEnvironment } from '../functions/config/controller.ts';
import { type FailedRecords, onWaitingJobs } from './waiting-jobs-stream.ts';
import { allowOnGroup } from './scaling-group-access.ts';
import { namespaceOf } from './names.ts';
import { Service } from './service.ts';
import type { Settings } from './settings.ts';
import type { Tables } from './tables.ts';

export class Controller extends Construct {
  readonly service: Service;

  constructor(
    scope: Construct,
    id: string,
    props: { settings: Settings; tables: Tables; failed: FailedRecords; bundle: string; release: string },
  ) {
    super(scope, id);
    const { settings, tables, failed } = props;
    this.service = new Service(this, 'Service', {
      settings,
      service: 'controller',
      bundle: props.bundle,
      memoryMiB: 512,
      timeout: Duration.seconds(55),
      environment: (role): ControllerLambdaEnvironment => ({
        ...tables.allow(role, {
          jobs: { items: ['GetItem', 'BatchGetItem', 'UpdateItem'], indexes: ['byWork'] },
          hosts: { items: ['Scan', 'UpdateItem', 'DeleteItem'] },
          intakes: { items: ['DeleteItem'] },
          fleet: { items: ['GetItem', 'PutItem'] },
          chores: { items: ['Scan', 'DeleteItem'] },
          usage: { items: ['GetItem', 'UpdateItem'], indexes: ['byOpen'] },
          ledgers: { items: ['PutItem'] },
        }),
        ...this.#allowGroup(role, settings),
        METRICS_NAMESPACE: namespaceOf(settings.name),
        MAX_HOSTS: String(settings.maxHosts),
        MIN_HOSTS: String(settings.minHosts),
        WARM: settings.warm,
        HOSTS_PER_SHARD: String(settings.hostsPerShard),
        SPOT: String(settings.spot),
        RELEASE: props.release,
      }),
    });
    new Rule(this, 'EveryMinute', {
      schedule: Schedule.rate(Duration.minutes(1)),
      // No retry: the next round follows within a minute, and a late one would only overlap it.
      targets: [
        new LambdaFunction(this.service.lambda, { retryAttempts: 0, maxEventAge: Duration.minutes(1) }),
      ],
    });
    this.service.lambda.configureAsyncInvoke({ retryAttempts: 0 });
    // One call per burst is enough: it starts machines, which take minutes.
    onWaitingJobs(this.service, { tables, failed, batchSize: 1000, gather: Duration.seconds(2) });
  }

  #allowGroup(role: Role, { name, spot }: Settings): { AUTO_SCALING_GROUP: string } {
    role.addToPolicy(
      new PolicyStatement({
        actions: ['autoscaling:DescribeAutoScalingGroups', 'autoscaling:DescribeScalingActivities'],
        resources: ['*'],
      }),
    );
    Validations.of(role).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason: 'Auto Scaling has no permission by resource for what it describes; nothing is changed by it.',
    });
    return allowOnGroup(role, name, [
      'SetDesiredCapacity',
      'TerminateInstanceInAutoScalingGroup',
      // For the change from spot to on demand and back.
      ...(spot ? (['UpdateAutoScalingGroup'] as const) : []),
    ]);
  }
}
