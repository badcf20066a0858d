// The AWS account as the checks see it: caller identity, client settings, and the meaning of an AWS error for the user.

import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { CommandError } from '../api.ts';
import type { Place } from '../place.ts';
import { type Finding, next } from './check.ts';

/** For every client: endpoints and credentials come from the environment, as usual with the SDK. */
export function clientSettings(region: string) {
  return {
    region,
    maxAttempts: 2,
    requestHandler: { connectionTimeout: 3000, requestTimeout: 8000, throwOnRequestTimeout: true },
  };
}

export interface Account {
  id: string;
  arn: string;
}

export async function whoAsks(region: string): Promise<Account> {
  const { Account: id = '', Arn: arn = '' } = await new STSClient(clientSettings(region)).send(
    new GetCallerIdentityCommand({}),
  );
  return { id, arn };
}

const SIGN_IN = 'aws configure sso (or aws configure; or set AWS_PROFILE)';

/** Errors that no check expects: no credentials, access denied, no network, or an unknown one. */
export function explainAws(error: unknown): Finding {
  const { name, message } = error instanceof Error ? error : { name: 'unknown', message: String(error) };
  if (/Expired|TokenRefreshRequired|SSOTokenProviderFailure/.test(name) || /expired/i.test(message))
    return next('the credentials have expired', 'aws sso login (or renew them where they come from)');
  if (name === 'CredentialsProviderError') return next('no AWS credentials were found', SIGN_IN);
  if (/InvalidClientTokenId|SignatureDoesNotMatch|UnrecognizedClient|AuthFailure/.test(name))
    return next(`AWS does not know these credentials (${name})`, SIGN_IN);
  if (/AccessDenied|Unauthorized|NotAuthorized/i.test(name))
    return next(`not allowed: ${message}`, 'the same with credentials that may do this');
  return next(
    `it cannot be asked (${name}: ${message.split('\n')[0]})`,
    'check the network and the region, then the same again',
  );
}

/** An AWS error as a CommandError. @returns any other error unchanged */
export function explainedFor({ name, region }: Place, error: unknown): unknown {
  const isOfAws =
    error instanceof Error &&
    ('$metadata' in error || 'syscall' in error || error.name === 'CredentialsProviderError');
  if (!isOfAws) return error;
  const finding = explainAws(error);
  const says = finding.kind === 'next' ? `${finding.says} → ${finding.next}` : finding.says;
  return new CommandError(`The deployment ${name} in ${region}: ${says}`);
}
