// What a new account lacks: vCPUs for GPU instances (0 at first) and Lambda concurrency (10 at first). Both are asked
// for, and granted by people: the doctor says how, and whether it was asked already.

import { GetAccountSettingsCommand, LambdaClient } from '@aws-sdk/client-lambda';
import {
  GetAWSDefaultServiceQuotaCommand,
  GetServiceQuotaCommand,
  ListRequestedServiceQuotaChangeHistoryByQuotaCommand,
  ServiceQuotasClient,
} from '@aws-sdk/client-service-quotas';
import type { Deployment } from '../deployment.ts';
import { clientSettings } from './aws.ts';
import { type Finding, next, ok } from './check.ts';

/** Quotas count vCPUs of a family of instances. Source: Service Quotas, "Amazon Elastic Compute Cloud (Amazon EC2)". */
const CODES = {
  g: { onDemand: 'L-DB2E81BA', spot: 'L-3819A6DF' },
  p: { onDemand: 'L-417A185B', spot: 'L-7212CCBC' },
} as const;

/** Four a size of `xlarge`. */
export function vcpusOf(instanceType: string): number {
  const size = /\.(\d*)xlarge$/.exec(instanceType);
  return size ? 4 * Number(size[1] || 1) : 4;
}

export async function gpuQuota(
  deployment: Deployment,
  region: string,
  market: 'onDemand' | 'spot',
): Promise<Finding> {
  const { instanceTypes, maxHosts, spot } = deployment;
  const type = instanceTypes[0]!;
  const code = CODES[type.startsWith('p') ? 'p' : 'g'][market];
  const client = new ServiceQuotasClient(clientSettings(region));
  const quota = { ServiceCode: 'ec2', QuotaCode: code };
  const value = await valueOf(client, quota);
  const says = `${value} vCPUs; a ${type} has ${vcpusOf(type)}`;
  if (spot !== (market === 'spot')) return ok(`${says}; not used, since spot is ${spot} in cdk.json`);
  const wanted = vcpusOf(type) * Math.max(1, maxHosts);
  if (value >= wanted) return ok(`${says}: enough for the ${maxHosts} hosts of maxHosts`);
  const few = `${says}: enough for ${Math.floor(value / vcpusOf(type))} of ${maxHosts} hosts`;
  return askFor(client, { quota, wanted, says: few, region });
}

interface Quota {
  ServiceCode: string;
  QuotaCode: string;
}

/** How more is asked for, or that it was asked for already. */
async function askFor(
  client: ServiceQuotasClient,
  { quota, wanted, says, region }: { quota: Quota; wanted: number; says: string; region: string },
): Promise<Finding> {
  const { RequestedQuotas = [] } = await client
    .send(new ListRequestedServiceQuotaChangeHistoryByQuotaCommand(quota))
    // Who may not see the requests is told how to make one.
    .catch(() => ({ RequestedQuotas: [] }));
  const open = RequestedQuotas.find(({ Status }) => Status === 'PENDING' || Status === 'CASE_OPENED');
  if (open)
    return next(
      `${says}; ${open.DesiredValue} were asked for (${open.Status})`,
      `wait for AWS: aws service-quotas get-requested-service-quota-change --region ${region} --request-id ${open.Id}`,
    );
  return next(
    says,
    `aws service-quotas request-service-quota-increase --region ${region} --service-code ${quota.ServiceCode} --quota-code ${quota.QuotaCode} --desired-value ${wanted}`,
  );
}

async function valueOf(client: ServiceQuotasClient, quota: Quota): Promise<number> {
  try {
    const { Quota } = await client.send(new GetServiceQuotaCommand(quota));
    return Quota?.Value ?? 0;
  } catch (error) {
    if ((error as Error).name !== 'NoSuchResourceException') throw error;
    // Never changed in this account: what AWS gives to all.
    const { Quota } = await client.send(new GetAWSDefaultServiceQuotaCommand(quota));
    return Quota?.Value ?? 0;
  }
}

/** Of a new account it is 10, and every open stream takes one. */
const FEW_AT_ONCE = 50;
/** What other accounts have, and what AWS grants. */
const USUAL_AT_ONCE = 1000;

export async function lambdaConcurrency(deployment: Deployment, region: string): Promise<Finding> {
  const { AccountLimit } = await new LambdaClient(clientSettings(region)).send(
    new GetAccountSettingsCommand({}),
  );
  const limit = AccountLimit?.ConcurrentExecutions ?? 0;
  if (limit >= FEW_AT_ONCE && limit === deployment.lambdaConcurrency) return ok(`${limit} at once`);
  if (limit >= FEW_AT_ONCE)
    return next(
      `${limit} at once; cdk.json says ${deployment.lambdaConcurrency}, by which an alarm rings`,
      `in cdk.json: "lambdaConcurrency": ${limit}`,
    );
  return askFor(new ServiceQuotasClient(clientSettings(region)), {
    quota: { ServiceCode: 'lambda', QuotaCode: 'L-B99A9384' },
    wanted: USUAL_AT_ONCE,
    says: `${limit} at once: a few callers who wait for images use that up`,
    region,
  });
}
