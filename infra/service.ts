// A Lambda function with the defaults of every service: runtime, log format, and a role without permissions until one is
// granted. It knows nothing of its code but the bundle's folder.

import { type Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import { ManagedPolicy, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import {
  Architecture,
  Code,
  Function as LambdaFunction,
  LoggingFormat,
  Runtime,
} from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { Network } from './network.ts';
import type { Settings } from './settings.ts';

/** An environment as functions/config expects it; undefined values are not set. */
type Environment = Record<string, string | undefined>;

export interface ServiceProps {
  settings: Settings;
  service: 'api' | 'forwarder' | 'controller' | 'webhooks';
  /** The folder with `index.mjs`. */
  bundle: string;
  memoryMiB: number;
  timeout: Duration;
  /** Called with the role: each grant returns the environment variables that go with it. */
  environment: (role: Role) => Environment;
  reservedConcurrency?: number | undefined;
  /** In a VPC, as the forwarder is. */
  network?: Network;
}

export class Service extends Construct {
  readonly lambda: LambdaFunction;
  readonly role: Role;

  constructor(scope: Construct, id: string, props: ServiceProps) {
    super(scope, id);
    const { settings, service, network } = props;
    const logGroup = new LogGroup(this, 'Logs', {
      logGroupName: `/${settings.name}/${service}`,
      retention: settings.logDays,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      description: `The ${service} of the ComfyUI API`,
    });
    this.role.addToPolicy(
      new PolicyStatement({
        actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
        resources: [logGroup.logGroupArn],
      }),
    );
    if (network) this.#allowNetworkInterfaces();
    this.lambda = new LambdaFunction(this, 'Function', {
      functionName: `${settings.name}-${service}`,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      code: Code.fromAsset(props.bundle),
      handler: 'index.handler',
      memorySize: props.memoryMiB,
      timeout: props.timeout,
      role: this.role,
      logGroup,
      loggingFormat: LoggingFormat.TEXT,
      environment: definedOnly(props.environment(this.role)),
      ...(props.reservedConcurrency !== undefined && {
        reservedConcurrentExecutions: props.reservedConcurrency,
      }),
      ...(network && {
        vpc: network.vpc,
        vpcSubnets: network.forwarderSubnets,
        securityGroups: [network.forwarder],
      }),
    });
  }

  #allowNetworkInterfaces(): void {
    this.role.addManagedPolicy(
      ManagedPolicy.fromAwsManagedPolicyName('service-role/AWSLambdaVPCAccessExecutionRole'),
    );
    Validations.of(this.role).acknowledge({
      id: 'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole]',
      reason:
        "Lambda makes and removes the function's network interfaces with this policy, and AWS keeps it in step with what that takes.",
    });
  }
}

function definedOnly(environment: Environment): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}
