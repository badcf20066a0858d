// Names that several stacks share. A plain string creates no dependency, whereas a CloudFormation export cannot change
// while another stack imports it.

import { Stack } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

export const tablePrefix = (name: string) => `${name}-`;
export const groupName = (name: string) => `${name}-gpu-hosts`;
/** The CloudWatch namespace of all metrics. */
export const namespaceOf = (name: string) => name;
export const hostLogGroup = (name: string) => `/${name}/gpu-hosts`;

/** The parameter with the image that hosts are launched from, if they have their own. */
export const hostImageParameter = (name: string) => `/${name}/host-image`;

/** The parameter with the hub token of a person who has accepted the models' licence; that person writes it. */
export { hubTokenParameter } from '../functions/models/token.ts';

/** Contains the account, because bucket names are global. */
export function bucketName(scope: IConstruct, name: string, of: 'images' | 'models'): string {
  const { account, region } = Stack.of(scope);
  return `${name}-${of}-${account}-${region}`;
}

export function tableArn(scope: IConstruct, tableName: string): string {
  return Stack.of(scope).formatArn({ service: 'dynamodb', resource: 'table', resourceName: tableName });
}

/** An ARN in cdk-nag's notation. */
export function asNagWrites(scope: IConstruct, arn: string): string {
  const { account, partition } = Stack.of(scope);
  return arn.replaceAll(account, '<AWS::AccountId>').replaceAll(partition, '<AWS::Partition>');
}
