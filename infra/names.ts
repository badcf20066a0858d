// Names that more than one stack must know without asking the other: a plain string binds nothing, where an export of
// CloudFormation cannot change as long as somebody imports it.

import { Stack } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

export const tablePrefix = (name: string) => `${name}-`;
export const groupName = (name: string) => `${name}-gpu-hosts`;
/** The namespace of CloudWatch's metrics. */
export const namespaceOf = (name: string) => name;
export const hostLogGroup = (name: string) => `/${name}/gpu-hosts`;

/** Which image hosts are launched from, where they have their own. */
export const hostImageParameter = (name: string) => `/${name}/host-image`;

/** Of a person who has accepted the models' licence, put there by that person. */
export { hubTokenParameter } from '../functions/models/token.ts';

/** Named by the account too: a bucket's name is the world's. */
export function bucketName(scope: IConstruct, name: string, of: 'images' | 'models'): string {
  const { account, region } = Stack.of(scope);
  return `${name}-${of}-${account}-${region}`;
}

export function tableArn(scope: IConstruct, tableName: string): string {
  return Stack.of(scope).formatArn({ service: 'dynamodb', resource: 'table', resourceName: tableName });
}

/** An ARN as cdk-nag writes it. */
export function asNagWrites(scope: IConstruct, arn: string): string {
  const { account, partition } = Stack.of(scope);
  return arn.replaceAll(account, '<AWS::AccountId>').replaceAll(partition, '<AWS::Partition>');
}
