// Quotas that are too low in a new account: vCPUs for GPU instances (0 at first) and Lambda concurrency (10 at first). AWS
// staff grant an increase on request: the doctor prints the request, or that one is open.

import { DescribeInstanceTypesCommand, EC2Client } from '@aws-sdk/client-ec2';
import { GetAccountSettingsCommand, LambdaClient } from '@aws-sdk/client-lambda';
import {
  GetAWSDefaultServiceQuotaCommand,
  GetServiceQuotaCommand,
  ListRequestedServiceQuotaChangeHistoryByQuotaCommand,
  ServiceQuotasClient,
} from '@aws-sdk/client-service-quotas';
import type { Deployment } from '../deployment.ts';
import { clientSettings } from './aws.ts';
import { type Finding, next, notChecked, ok } from './check.ts';

/**
 * A quota counts the vCPUs of some instance families; the first match applies. Source: Service Quotas, "Amazon Elastic
 * Compute Cloud (Amazon EC2)"; "Spot Instance quotas" in EC2's user guide.
 */
const QUOTAS = {
  onDemand: [
    { of: /^p/, code: 'L-417A185B', families: 'P' },
    { of: /^/, code: 'L-DB2E81BA', families: 'G and VT' },
  ],
  spot: [
    { of: /^p5/, code: 'L-C4BD4855', families: 'P5' },
    { of: /^p/, code: 'L-7212CCBC', families: 'P4, P3 and P2' },
    { of: /^/, code: 'L-3819A6DF', families: 'G and VT' },
  ],
} as const;
type Market = keyof typeof QUOTAS;

/** vCPUs by instance type; types that the region does not offer are absent. */
async function readVcpus(instanceTypes: readonly string[], region: string): Promise<Map<string, number>> {
  const { InstanceTypes = [] } = await new EC2Client(clientSettings(region)).send(
    // A filter, since an unknown type in it is no error.
    new DescribeInstanceTypesCommand({ Filters: [{ Name: 'instance-type', Values: [...instanceTypes] }] }),
  );
  return new Map(
    InstanceTypes.map(({ InstanceType = '', VCpuInfo }) => [InstanceType, VCpuInfo?.DefaultVCpus ?? 0]),
  );
}

/** The quotas that the types count against, each with its types, in their order. */
function quotasOf(instanceTypes: readonly string[], market: Market) {
  const quotaOf = (type: string) => QUOTAS[market].find(({ of }) => of.test(type))!;
  return [...new Set(instanceTypes.map(quotaOf))].map(({ code, families }) => ({
    code,
    families,
    types: instanceTypes.filter((type) => quotaOf(type).code === code),
  }));
}

/** A quota is enough if all hosts fit with the first type that counts against it. */
export async function gpuQuota(
  { instanceTypes, maxHosts, spot }: Deployment,
  region: string,
  market: Market,
): Promise<Finding> {
  const client = new ServiceQuotasClient(clientSettings(region));
  const vcpus = await readVcpus(instanceTypes, region);
  if (vcpus.size === 0) return notChecked(`${region} offers none of the instance types`);
  const offered = instanceTypes.filter((type) => vcpus.has(type));
  const findings = await Promise.all(
    quotasOf(offered, market).map(async ({ code, families, types }): Promise<Finding> => {
      const quota = { ServiceCode: 'ec2', QuotaCode: code };
      const value = await valueOf(client, quota);
      const hosts = types.map((type) => `${Math.floor(value / vcpus.get(type)!)} of ${type}`).join(' or ');
      const says = `${value} vCPUs of ${families}: ${hosts}`;
      if (market === 'spot' && !spot) return ok(`${says}; not used, since spot is false in cdk.json`);
      const wanted = vcpus.get(types[0]!)! * Math.max(1, maxHosts);
      if (value >= wanted) return ok(`${says}; enough for maxHosts, ${maxHosts}`);
      const why = market === 'onDemand' && spot ? ', and on demand starts where no spot is to be had' : '';
      return askFor(client, { quota, wanted, says: `${says}; maxHosts is ${maxHosts}${why}`, region });
    }),
  );
  return together(findings);
}

/** Several findings as one line, with what to do for those that are not ok. */
function together(findings: Finding[]): Finding {
  const says = findings.map((one) => one.says).join('; ');
  const todo = findings.flatMap((one) => (one.kind === 'next' ? one.next : []));
  return todo.length > 0 ? next(says, todo.join('; and ')) : ok(says);
}

interface Quota {
  ServiceCode: string;
  QuotaCode: string;
}

/** How to request an increase, or that one is requested already. */
async function askFor(
  client: ServiceQuotasClient,
  { quota, wanted, says, region }: { quota: Quota; wanted: number; says: string; region: string },
): Promise<Finding> {
  const { RequestedQuotas = [] } = await client
    .send(new ListRequestedServiceQuotaChangeHistoryByQuotaCommand(quota))
    // Without permission to list the requests, the finding says how to make one.
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
    // A quota that was never changed in this account has AWS's default.
    const { Quota } = await client.send(new GetAWSDefaultServiceQuotaCommand(quota));
    return Quota?.Value ?? 0;
  }
}

/** A new account has 10, and every open stream takes one. */
const FEW_AT_ONCE = 50;
/** The usual limit of an account, which AWS grants. */
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
