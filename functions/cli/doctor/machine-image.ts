// Whether the region has the machine image of the GPU hosts: Auto Scaling resolves it at every launch.

import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import type { Deployment } from '../deployment.ts';
import { clientSettings } from './aws.ts';
import { type Finding, next, ok } from './check.ts';

export async function machineImage({ amiParameter }: Deployment, region: string): Promise<Finding> {
  try {
    const { Parameter } = await new SSMClient(clientSettings(region)).send(
      new GetParameterCommand({ Name: amiParameter }),
    );
    const id = Parameter?.Value ?? '';
    if (/^ami-[0-9a-f]+$/.test(id)) return ok(`${id}, as ${amiParameter} says`);
    return next(`${amiParameter} holds "${id}", which is no image`, 'name another amiParameter in cdk.json');
  } catch (error) {
    if ((error as Error).name !== 'ParameterNotFound') throw error;
    return next(
      `${region} has no parameter ${amiParameter}`,
      `name another amiParameter in cdk.json: aws ssm get-parameters-by-path --region ${region} --path /aws/service/deeplearning/ami/x86_64 --recursive --query 'Parameters[].Name'`,
    );
  }
}
