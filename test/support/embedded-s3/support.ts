// An embedded S3 in a folder of its own, the SDK's client for it, and requests signed by hand that the SDK would
// never send. The signing here is written apart from signature.ts: each checks the other.

import { createHash, createHmac } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { request, type Agent, type IncomingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createS3Client } from '../../../functions/images/s3/client.ts';
import { startEmbeddedS3 } from './server.ts';

export const credentials = { accessKeyId: 'local', secretAccessKey: 'a secret' };
export const region = 'us-east-1';
export const BUCKET = 'images';
export const sha256 = (text: string | Uint8Array) => createHash('sha256').update(text).digest('hex');

export async function startTestS3(options: { directory?: string; now?: () => number } = {}) {
  const directory = options.directory ?? (await mkdtemp(join(tmpdir(), 'embedded-s3-')));
  const s3 = await startEmbeddedS3({
    ...options,
    directory,
    buckets: [BUCKET, 'other'],
    credentials,
    region,
  });
  const client = createS3Client({ endpoint: s3.url, region, credentials });
  return {
    ...s3,
    directory,
    client,
    /** What lies in the folder, half-written files included. */
    files: async () =>
      (await Promise.all([BUCKET, '.incoming'].map((folder) => readdir(join(directory, folder))))).flat(),
    async stop() {
      client.destroy();
      await s3.close();
      if (!options.directory) await rm(directory, { recursive: true, force: true });
    },
  };
}

export interface Raw {
  method?: string;
  path: string;
  headers?: Record<string, string>;
  body?: string | Uint8Array;
  /** Sent, then the connection is cut. */
  cutAfter?: Uint8Array;
  /** Otherwise a connection of its own. */
  agent?: Agent;
}

export interface RawAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
  code: string | undefined;
}

/** Sends exactly this path and these headers. */
export function send(
  port: number,
  { method = 'GET', path, headers = {}, body, cutAfter, agent }: Raw,
): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const req = request({ host: '127.0.0.1', port, method, path, headers, agent: agent ?? false }, (res) => {
      const pieces: Buffer[] = [];
      res.on('data', (piece: Buffer) => pieces.push(piece));
      res.on('error', reject);
      res.on('end', () => {
        const all = Buffer.concat(pieces);
        const code = /<Code>(\w+)<\/Code>/.exec(all.toString())?.[1];
        resolve({ status: res.statusCode ?? 0, headers: res.headers, body: all, code });
      });
    });
    req.on('error', reject);
    if (cutAfter) req.write(cutAfter, () => setTimeout(() => req.destroy(new Error('cut')), 20));
    else req.end(body);
  });
}

export interface Signing {
  at?: number;
  key?: string;
  secret?: string;
  region?: string;
  unsigned?: string[];
  payload?: string;
}

/** Signature Version 4 in the Authorization header. */
export function signed(port: number, raw: Raw, signing: Signing = {}): Raw {
  const date = new Date(signing.at ?? Date.now()).toISOString().replaceAll(/[-:]|\.\d+/g, '');
  const payload = signing.payload ?? sha256(raw.body ?? '');
  const headers: Record<string, string> = {
    ...raw.headers,
    host: `127.0.0.1:${port}`,
    'x-amz-date': date,
    'x-amz-content-sha256': payload,
  };
  const names = Object.keys(headers)
    .filter((name) => !signing.unsigned?.includes(name))
    .sort();
  const [path = '', query = ''] = raw.path.split('?');
  const canonical = [
    raw.method ?? 'GET',
    path,
    query &&
      query
        .split('&')
        .map((pair) => (pair.includes('=') ? pair : `${pair}=`))
        .sort()
        .join('&'),
    ...names.map((name) => `${name}:${headers[name]}`),
    '',
    names.join(';'),
    payload,
  ].join('\n');
  const scope = [date.slice(0, 8), signing.region ?? region, 's3', 'aws4_request'];
  const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();
  let key: string | Buffer = `AWS4${signing.secret ?? credentials.secretAccessKey}`;
  for (const part of scope) key = hmac(key, part);
  const text = ['AWS4-HMAC-SHA256', date, scope.join('/'), sha256(canonical)].join('\n');
  headers['authorization'] =
    `AWS4-HMAC-SHA256 Credential=${signing.key ?? credentials.accessKeyId}/${scope.join('/')}, ` +
    `SignedHeaders=${names.join(';')}, Signature=${hmac(key, text).toString('hex')}`;
  return { ...raw, headers };
}
