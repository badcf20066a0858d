// The deployed stacks: CDK's own, and ours with their outputs.

import {
  CloudFormationClient,
  DescribeStackEventsCommand,
  DescribeStacksCommand,
  type StackEvent,
} from '@aws-sdk/client-cloudformation';
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { type Account, clientSettings } from './aws.ts';
import { type Finding, Found, lacking, next, ok } from './check.ts';

/** The lowest version of the bootstrap stack that a synthesised stack accepts. */
const BOOTSTRAP_VERSION = 6;

export async function bootstrap(account: Account, region: string): Promise<Finding> {
  const command = `npx cdk bootstrap aws://${account.id}/${region}`;
  try {
    const { Parameter } = await new SSMClient(clientSettings(region)).send(
      new GetParameterCommand({ Name: '/cdk-bootstrap/hnb659fds/version' }),
    );
    const version = Number(Parameter?.Value);
    if (version >= BOOTSTRAP_VERSION) return ok(`version ${version}`);
    return next(`version ${Parameter?.Value} is too old`, command);
  } catch (error) {
    if ((error as Error).name !== 'ParameterNotFound') throw error;
    return next(`CDK was never used in ${region} of this account`, command);
  }
}

/** The outputs of our three stacks, by stack. */
export type Outputs = Record<
  'TablePrefix' | 'ModelsBucket' | 'AutoScalingGroup' | 'Url' | 'ApiKeyCommand',
  string
>;

export interface Stacks {
  outputs: Outputs;
  /** Set if the last deployment failed and was rolled back. */
  rolledBack?: Finding;
}

const STACKS = {
  stateful: ['TablePrefix', 'ModelsBucket'],
  'gpu-hosts': ['AutoScalingGroup'],
  compute: ['Url', 'ApiKeyCommand'],
} as const;

/** States in which a stack serves: as deployed or rolled back; the removal of old resources may still run. */
const SERVES = /^(CREATE|(UPDATE|IMPORT)(_ROLLBACK)?)_COMPLETE(_CLEANUP_IN_PROGRESS)?$/;

/** @throws Found if a stack is missing or incomplete */
export async function readStacks(name: string, region: string): Promise<Stacks> {
  const client = new CloudFormationClient(clientSettings(region));
  const outputs: Partial<Outputs> = {};
  let rolledBack: Finding | undefined;
  for (const [part, wanted] of Object.entries(STACKS)) {
    const stack = `${name}-${part}`;
    const found = await describe(client, stack);
    if (!found) throw lacking(`there is no stack ${stack} in ${region}`, 'npm run deploy');
    const status = found.StackStatus ?? 'unknown';
    // Its change set was never executed: the stack is empty.
    if (status === 'REVIEW_IN_PROGRESS')
      throw lacking(`${stack} is begun and holds nothing (${status})`, 'npm run deploy');
    // A stack leaves these states only by a person's action.
    if (/_FAILED$|^(ROLLBACK|DELETE)_COMPLETE$/.test(status))
      throw new Found(await failedFinding(client, stack, status, region));
    if (!SERVES.test(status))
      throw lacking(
        `${stack} is ${status}`,
        `wait: aws cloudformation describe-stack-events --region ${region} --stack-name ${stack}`,
      );
    if (status.includes('ROLLBACK')) rolledBack ??= await failedFinding(client, stack, status, region);
    for (const key of wanted) {
      const value = found.Outputs?.find(({ OutputKey }) => OutputKey === key)?.OutputValue;
      if (value === undefined) throw lacking(`${stack} does not say its ${key}`, 'npm run deploy');
      outputs[key] = value;
    }
  }
  return { outputs: outputs as Outputs, ...(rolledBack && { rolledBack }) };
}

/** Known causes of failure in an account, and what to do. */
const CURES: { when: RegExp; next: string }[] = [
  {
    when: /verified before you can add new CloudFront resources/i,
    next: '"endpoint": "function-url" in cdk.json, then npm run deploy: it does without CloudFront. AWS Support verifies the account (https://console.aws.amazon.com/support/home, "Account and billing", in one to two days); then "cloudfront" again',
  },
];

/** States from which npm run deploy cannot continue. */
const STUCK: Record<string, ((region: string, stack: string) => string) | undefined> = {
  UPDATE_ROLLBACK_FAILED: (region, stack) =>
    `aws cloudformation continue-update-rollback --region ${region} --stack-name ${stack}, once what it says is mended, then npm run deploy`,
  DELETE_FAILED: (region, stack) =>
    `aws cloudformation delete-stack --region ${region} --stack-name ${stack}, once what it says is mended`,
};

async function failedFinding(
  client: CloudFormationClient,
  StackName: string,
  status: string,
  region: string,
): Promise<Finding> {
  const { StackEvents = [] } = await client.send(new DescribeStackEventsCommand({ StackName }));
  const failed = firstFailure(StackEvents);
  const reason = failed?.ResourceStatusReason ?? '';
  const says = `the last deployment of ${StackName} failed (${status})`;
  return next(
    failed ? `${says}: ${failed.LogicalResourceId}: ${reason}` : says,
    CURES.find(({ when }) => when.test(reason))?.next ??
      STUCK[status]?.(region, StackName) ??
      `aws cloudformation describe-stack-events --region ${region} --stack-name ${StackName}, then npm run deploy`,
  );
}

/** The first failure of the last deployment is the cause; later ones are cancellations. @param events newest first */
function firstFailure(events: StackEvent[]): StackEvent | undefined {
  const began = events.findIndex(
    ({ PhysicalResourceId, StackId, ResourceStatus = '' }) =>
      PhysicalResourceId === StackId && /^(CREATE|UPDATE|IMPORT)_IN_PROGRESS$/.test(ResourceStatus),
  );
  return events
    .slice(0, began === -1 ? undefined : began)
    .findLast(
      ({ PhysicalResourceId, StackId, ResourceStatus = '' }) =>
        PhysicalResourceId !== StackId && ResourceStatus.endsWith('_FAILED'),
    );
}

async function describe(client: CloudFormationClient, StackName: string) {
  try {
    const { Stacks } = await client.send(new DescribeStacksCommand({ StackName }));
    return Stacks?.[0];
  } catch (error) {
    if (/does not exist/.test(String(error))) return undefined;
    throw error;
  }
}
