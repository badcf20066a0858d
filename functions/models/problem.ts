// What can be wrong with models and their bucket, as one sentence for whoever reads the boot log or typed the command.
// It does not cover mistakes of ours: those stay plain errors, with their stack.

import { S3ServiceException } from '@aws-sdk/client-s3';

/** One sentence that says what to do. */
export class ModelsProblem extends Error {
  override readonly name = 'ModelsProblem';
}

/** The hub or the bucket said no, and will again: nothing is gained by asking twice. */
export function isRefusal(error: unknown): boolean {
  if (error instanceof ModelsProblem) return true;
  const status = error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
  return status !== undefined && status >= 400 && status < 500 && status !== 408 && status !== 429;
}

/** Undefined: a mistake of ours. */
export function sentenceOf(error: unknown, bucket: string): string | undefined {
  if (error instanceof ModelsProblem) return error.message;
  if (!(error instanceof Error)) return undefined;
  if (error.name === 'CredentialsProviderError')
    return 'No AWS credentials were found; sign in (aws sso login, or AWS_PROFILE), then run this again';
  if (error.name === 'NoSuchBucket')
    return `There is no bucket ${bucket} in this region; check MODELS_BUCKET and AWS_REGION, or deploy the stacks first`;
  if (error instanceof S3ServiceException && error.$metadata.httpStatusCode === 403)
    return `S3 refuses access to s3://${bucket} (${error.name}); these credentials need to read it, and to write it where it is filled`;
  if (error instanceof S3ServiceException)
    return `S3 does not serve s3://${bucket}: ${error.name}, ${error.message}`;
  if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return 'The disk is full; use one with more room';
  if ('$metadata' in error || 'syscall' in error)
    return `s3://${bucket} does not answer: ${error.message || (error as NodeJS.ErrnoException).code}`;
  return undefined;
}
