// Refusals of the embedded S3: a status and one of S3's own codes.

/** The SDK turns this answer into an exception named `code`. */
export class S3Error extends Error {
  override readonly name = 'S3Error';
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly details: Record<string, string> = {},
  ) {
    super(message);
  }
}

export const notImplemented = (what: string) =>
  new S3Error(501, 'NotImplemented', `The embedded S3 does not know ${what}.`);
