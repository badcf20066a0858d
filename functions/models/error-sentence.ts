// Errors of the SDK and the disk as one sentence for the boot log or the terminal.

import { S3ServiceException } from '@aws-sdk/client-s3';
import { ModelsProblem } from './problem.ts';

/** Whether S3 answered with this error. */
export function isOfS3(error: unknown): error is S3ServiceException {
  return error instanceof S3ServiceException;
}

/** Undefined: an unexpected error, to be shown with its stack. */
export function sentenceOf(error: unknown, bucket: string): string | undefined {
  if (error instanceof ModelsProblem) return error.message;
  if (!(error instanceof Error)) return undefined;
  if (error.name === 'CredentialsProviderError')
    return 'No AWS credentials were found; sign in (aws sso login, or AWS_PROFILE), then run this again';
  if (error.name === 'NoSuchBucket')
    return `There is no bucket ${bucket} in this region; check MODELS_BUCKET and AWS_REGION, or deploy the stacks first`;
  if (isOfS3(error) && error.$metadata.httpStatusCode === 403)
    return `S3 refuses access to s3://${bucket} (${error.name}); these credentials need to read it, and to write it where it is filled`;
  if (isOfS3(error)) return `S3 does not serve s3://${bucket}: ${error.name}, ${error.message}`;
  if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return 'The disk is full; use a larger one';
  if ('$metadata' in error || 'syscall' in error)
    return `s3://${bucket} does not answer: ${error.message || (error as NodeJS.ErrnoException).code}`;
  return undefined;
}
