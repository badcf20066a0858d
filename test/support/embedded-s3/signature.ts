// Verifies who sent a request: AWS Signature Version 4, in the Authorization header or in a presigned link.
// Works on the bytes that were sent: a path or query that was normalised on the way is refused.

import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { S3Error } from './error.ts';

const ALGORITHM = 'AWS4-HMAC-SHA256';
const MAX_SKEW = 15 * 60 * 1000;
const MAX_EXPIRES = 7 * 24 * 60 * 60;
const CREDENTIAL = /^([^/,\s]+)\/(\d{8})\/([^/,\s]+)\/([^/,\s]+)\/aws4_request$/;
const AUTHORIZATION = /^AWS4-HMAC-SHA256 +Credential=([^,\s]+), *SignedHeaders=([^,\s]+), *Signature=(\S+)$/;

export interface Credentials {
  accessKeyId: string;
  secretAccessKey: string;
}

/** A request's target, split but not normalised. */
export interface Target {
  path: string;
  /** Names and values as sent, still percent-encoded. */
  query: [name: string, value: string][];
}

export function targetOf(req: IncomingMessage): Target {
  const url = req.url ?? '';
  const mark = url.indexOf('?');
  const path = mark < 0 ? url : url.slice(0, mark);
  if (!path.startsWith('/')) throw new S3Error(400, 'InvalidURI', 'The path must begin with a slash.');
  const query =
    mark < 0
      ? []
      : url
          .slice(mark + 1)
          .split('&')
          .filter(Boolean);
  return {
    path,
    query: query.map((pair) => {
      const at = pair.indexOf('=');
      return at < 0 ? [pair, ''] : [pair.slice(0, at), pair.slice(at + 1)];
    }),
  };
}

export function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new S3Error(400, 'InvalidURI', 'The URI cannot be decoded.');
  }
}

interface Claim {
  credential: string;
  signedHeaders: string;
  signature: string;
  date: string;
  payload: string;
  /** Seconds; only in a presigned link. */
  expires?: number;
}

/** Returns the declared x-amz-content-sha256. @throws S3Error with S3's code if the request is not valid */
export function createVerifier(settings: { credentials: Credentials; region: string; now: () => number }) {
  const { credentials, region, now } = settings;
  const signingKeys = new Map<string, Buffer>();

  function signingKey(day: string): Buffer {
    let key = signingKeys.get(day);
    if (!key) {
      if (signingKeys.size >= 16) signingKeys.clear();
      key = [day, region, 's3', 'aws4_request'].reduce<Buffer>(
        hmac,
        Buffer.from(`AWS4${credentials.secretAccessKey}`),
      );
      signingKeys.set(day, key);
    }
    return key;
  }

  return function verify(req: IncomingMessage, target: Target): string {
    const claim = claimOf(req, target);
    const [, accessKeyId, day, claimedRegion, service] = CREDENTIAL.exec(claim.credential) ?? [];
    if (!day) throw malformed('The credential is not complete.');
    if (accessKeyId !== credentials.accessKeyId) {
      throw new S3Error(403, 'InvalidAccessKeyId', 'The access key id is not known here.');
    }
    if (claimedRegion !== region || service !== 's3' || !claim.date.startsWith(day)) {
      throw malformed(`The credential must be of that day, for region ${region} and service s3.`);
    }
    checkTime(claim, now());
    checkSignedHeaders(req, claim.signedHeaders.split(';'));
    const expected = hmac(signingKey(day), stringToSign(req, target, claim)).toString('hex');
    const given = Buffer.from(claim.signature, 'latin1');
    if (given.length !== expected.length || !timingSafeEqual(given, Buffer.from(expected, 'latin1'))) {
      throw new S3Error(
        403,
        'SignatureDoesNotMatch',
        'The signature does not belong to this request and key.',
      );
    }
    return claim.payload;
  };
}

function claimOf(req: IncomingMessage, target: Target): Claim {
  const params = new Map<string, string>();
  for (const [name, value] of target.query) {
    if (!name.startsWith('X-Amz-')) continue;
    if (params.has(name)) throw queryError(`${name} is given twice.`);
    params.set(name, decode(value));
  }
  const header = req.headers.authorization;
  const declared = headerOf(req, 'x-amz-content-sha256');
  if (!params.has('X-Amz-Signature')) {
    if (header === undefined) throw new S3Error(403, 'AccessDenied', 'Anonymous access is not allowed.');
    const [, credential, signedHeaders, signature] = AUTHORIZATION.exec(header) ?? [];
    if (!credential || !signedHeaders || !signature)
      throw malformed('The Authorization header cannot be read.');
    if (!declared) throw new S3Error(400, 'InvalidRequest', 'x-amz-content-sha256 is missing.');
    return { credential, signedHeaders, signature, date: headerOf(req, 'x-amz-date'), payload: declared };
  }
  if (header !== undefined) throw new S3Error(400, 'InvalidArgument', 'Only one way of signing is allowed.');
  const param = (name: string) => params.get(`X-Amz-${name}`) ?? '';
  if (param('Algorithm') !== ALGORITHM) throw queryError('X-Amz-Algorithm is not supported.');
  const expires = /^\d{1,7}$/.test(param('Expires')) ? Number(param('Expires')) : 0;
  if (expires < 1 || expires > MAX_EXPIRES)
    throw queryError(`X-Amz-Expires must be from 1 to ${MAX_EXPIRES}.`);
  return {
    credential: param('Credential'),
    signedHeaders: param('SignedHeaders'),
    signature: param('Signature'),
    date: param('Date'),
    payload: param('Content-Sha256') || declared || 'UNSIGNED-PAYLOAD',
    expires,
  };
}

function checkTime(claim: Claim, now: number): void {
  const signedAt = Date.parse(
    claim.date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'),
  );
  if (Number.isNaN(signedAt)) throw new S3Error(403, 'AccessDenied', 'The request has no valid date.');
  if (claim.expires !== undefined) {
    if (now > signedAt + claim.expires * 1000) throw new S3Error(403, 'AccessDenied', 'Request has expired');
    if (now < signedAt - MAX_SKEW) throw new S3Error(403, 'AccessDenied', 'Request is not valid yet');
  } else if (Math.abs(now - signedAt) > MAX_SKEW) {
    throw new S3Error(403, 'RequestTimeTooSkewed', 'The clocks differ by more than 15 minutes.');
  }
}

/** Like S3, requires that the signature covers the host and every x-amz header. */
function checkSignedHeaders(req: IncomingMessage, signed: string[]): void {
  const unsigned = Object.keys(req.headers).filter(
    (name) => name.startsWith('x-amz-') && !signed.includes(name),
  );
  if (unsigned.length > 0 || !signed.includes('host')) {
    throw new S3Error(403, 'AccessDenied', `Headers that must be signed are not: ${unsigned[0] ?? 'host'}`);
  }
}

function stringToSign(req: IncomingMessage, target: Target, claim: Claim): string {
  const query = target.query
    .filter(([name]) => name !== 'X-Amz-Signature')
    .sort(([a, x], [b, y]) => compare(a, b) || compare(x, y))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
  const headers = claim.signedHeaders.split(';').map((name) => `${name}:${headerOf(req, name)}\n`);
  const request = [req.method, target.path, query, headers.join(''), claim.signedHeaders, claim.payload].join(
    '\n',
  );
  const scope = claim.credential.slice(claim.credential.indexOf('/') + 1);
  return [ALGORITHM, claim.date, scope, createHash('sha256').update(request).digest('hex')].join('\n');
}

function headerOf(req: IncomingMessage, name: string): string {
  const values = req.headersDistinct[name] ?? [];
  return values.map((value) => value.trim().replaceAll(/[ \t]+/g, ' ')).join(',');
}

const hmac = (key: Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const malformed = (why: string) => new S3Error(400, 'AuthorizationHeaderMalformed', why);
const queryError = (why: string) => new S3Error(400, 'AuthorizationQueryParametersError', why);
