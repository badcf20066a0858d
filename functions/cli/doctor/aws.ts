// The account as the doctor's checks see it: who asks, where, and what an error of AWS means for whoever reads it.

import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { type Finding, Found, next } from './check.ts';

/** For every client: endpoints and credentials come from the environment, as everywhere with the SDK. */
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

/** @throws Found where nobody is signed in */
export async function whoAsks(region: string): Promise<Account> {
  try {
    const { Account: id = '', Arn: arn = '' } = await new STSClient(clientSettings(region)).send(
      new GetCallerIdentityCommand({}),
    );
    return { id, arn };
  } catch (error) {
    if (isExpired(error))
      throw new Found(
        next('the credentials have expired', 'aws sso login (or renew them where they come from)'),
      );
    if (isAbsent(error))
      throw new Found(
        next('nobody is signed in', 'aws configure sso (or aws configure; or set AWS_PROFILE)'),
      );
    if (isRefused(error))
      throw new Found(
        next(
          `AWS does not know these credentials (${nameOf(error)})`,
          'aws configure sso (or aws configure; or set AWS_PROFILE)',
        ),
      );
    throw error;
  }
}

/** What is not expected: refused, unreachable, or new. */
export function explainAws(error: unknown): Finding {
  const name = nameOf(error);
  const message = error instanceof Error ? error.message : String(error);
  if (/AccessDenied|Unauthorized|NotAuthorized/i.test(name))
    return next(`not allowed: ${message}`, 'the same with credentials that may do this');
  return next(
    `it cannot be asked (${name}: ${message.split('\n')[0]})`,
    'check the network and the region, then the same again',
  );
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : 'unknown';
}

function isExpired(error: unknown): boolean {
  return (
    /Expired|TokenRefreshRequired|SSOTokenProviderFailure/.test(nameOf(error)) ||
    /expired/i.test(String(error))
  );
}

function isAbsent(error: unknown): boolean {
  return nameOf(error) === 'CredentialsProviderError';
}

function isRefused(error: unknown): boolean {
  return /InvalidClientTokenId|SignatureDoesNotMatch|UnrecognizedClient|AuthFailure|AccessDenied/.test(
    nameOf(error),
  );
}
