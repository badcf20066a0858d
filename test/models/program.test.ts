// What a GPU host runs, as the process that it is: its threads, over TLS, from the embedded S3.

import { PutObjectCommand } from '@aws-sdk/client-s3';
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type Server } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openBucket } from '../../functions/models/bucket.ts';
import { keyOf, MANIFEST_KEY } from '../../functions/models/manifest.ts';
import { partsKey } from '../../functions/models/parts-list.ts';
import { packageRoot } from '../../functions/runtime/workflows.ts';
import { BUCKET, credentials, region, startTestS3 } from '../support/embedded-s3/support.ts';
import { build, startCommand } from '../support/program.ts';
import { partsOf, sha256Of } from './hub.ts';

const PART = 256 * 1024;
const BYTES = Buffer.from(Array.from({ length: 10 * PART + 77 }, (_, at) => (at * 7919) % 251));

let s3: Awaited<ReturnType<typeof startTestS3>>;
let server: Server;
let folder: string;
beforeAll(async () => {
  [s3, folder] = await Promise.all([startTestS3(), mkdtemp(join(tmpdir(), 'program-')), build()]);
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  execFileSync(
    'openssl',
    `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost -keyout ${key} -out ${cert}`.split(
      ' ',
    ),
    { stdio: 'ignore' },
  );
  server = createServer({ key: await readFile(key), cert: await readFile(cert) }, (socket) => {
    const inside = connect(s3.port, '127.0.0.1');
    socket.pipe(inside).pipe(socket);
    socket.on('error', () => inside.destroy());
    inside.on('error', () => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, resolve));
}, 90_000);
afterAll(async () => {
  server.close();
  await s3.stop();
  await rm(folder, { recursive: true, force: true });
});

test('models come over TLS, by threads, whole', { timeout: 60_000 }, async () => {
  const content = { sizeBytes: BYTES.length, sha256: sha256Of(BYTES) };
  const file = { folder: 'vae', filename: 'v.safetensors', ...content };
  const key = keyOf(file);
  const bucket = openBucket(s3.client, BUCKET);
  await s3.client.send(new PutObjectCommand({ Bucket: BUCKET, Key: key, Body: BYTES }));
  await bucket.putJson(partsKey(key), { v: 1, ...content, ...partsOf(BYTES, PART) });
  const source = { repo: 'us/models', revision: 'main', path: 'v' };
  await bucket.putJson(MANIFEST_KEY, { v: 1, files: [{ ...file, key, source }] });

  const program = startCommand(process.execPath, [join(packageRoot(), '.build/pull-models.mjs'), 'pull'], {
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_REGION: region,
    AWS_ENDPOINT_URL_S3: `https://localhost:${(server.address() as AddressInfo).port}`,
    NODE_EXTRA_CA_CERTS: join(folder, 'cert.pem'),
    MODELS_BUCKET: BUCKET,
    MODELS_PATH: folder,
  });
  expect([await program.ended, program.output()]).toEqual([
    0,
    `1 models are in ${folder}; 3 MB of them were fetched now\n`,
  ]);
  expect((await readFile(join(folder, 'vae', 'v.safetensors'))).equals(BYTES)).toBe(true);
});
