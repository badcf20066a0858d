// The account's AWS plan: new accounts are on the Free plan, on which EC2 starts no GPU instance and refuses only at
// launch. Source: "GetAccountPlanState" in the API reference of AWS Billing and Cost Management.

import { STSClient } from '@aws-sdk/client-sts';
import { SignatureV4 } from '@smithy/signature-v4';
import { clientSettings } from './aws.ts';
import { type Finding, next, ok } from './check.ts';

/** The plan belongs to the account, not to a region; the call is served here. */
const REGION = 'us-east-1';
const ENDPOINT = `https://freetier.${REGION}.api.aws`;
const UPGRADE = `aws freetier upgrade-account-plan --region ${REGION} --account-plan-type PAID`;
const LIMIT = 8000;

interface PlanState {
  accountPlanType?: string;
  accountPlanStatus?: string;
  accountPlanRemainingCredits?: { amount?: number; unit?: string };
}

/** @throws an Error named after AWS's refusal */
export async function accountPlan(endpoint = ENDPOINT): Promise<Finding> {
  const { accountPlanType, accountPlanStatus, accountPlanRemainingCredits } = await planState(endpoint);
  if (accountPlanType === undefined) return ok('none to choose, as of accounts from before July 2025');
  if (accountPlanType !== 'FREE') return ok(`${accountPlanType} (${accountPlanStatus})`);
  const { amount, unit } = accountPlanRemainingCredits ?? {};
  const credits = amount === undefined ? '' : `, ${amount} ${unit} of credits left`;
  return next(
    `the Free plan (${accountPlanStatus}${credits}): EC2 starts no GPU instance on it`,
    `${UPGRADE} (the credits stay; what is used beyond them is paid)`,
  );
}

/** One signed request: not every registry has the JavaScript client. @returns {} for an account without a plan */
async function planState(endpoint: string): Promise<PlanState> {
  const { hostname, protocol, port, host } = new URL(endpoint);
  const { credentials, sha256 } = new STSClient(clientSettings(REGION)).config;
  const signer = new SignatureV4({ credentials, sha256, region: REGION, service: 'freetier' });
  const { method, headers, body } = await signer.sign({
    method: 'POST',
    protocol,
    hostname,
    ...(port !== '' && { port: Number(port) }),
    path: '/',
    query: {},
    headers: {
      host,
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': 'AWSFreeTierService.GetAccountPlanState',
    },
    body: '{}',
  });
  const response = await fetch(endpoint, {
    method,
    headers,
    body: body as string,
    signal: AbortSignal.timeout(LIMIT),
  });
  const answer = (await response.json()) as PlanState & { __type?: string; message?: string };
  if (response.ok) return answer;
  const name = answer.__type?.split('#').at(-1) ?? String(response.status);
  if (name === 'ResourceNotFoundException') return {};
  throw Object.assign(new Error(answer.message ?? name), { name });
}
