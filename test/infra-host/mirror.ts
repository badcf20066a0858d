// The world of a GPU host at its first boot, in a network of its own: instance metadata, S3 with signatures, DynamoDB,
// nodejs.org and PyPI as folders, and a ComfyUI. Started as a process by machine.ts; tells what was asked by `/asked`.

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createDynalite } from '../support/dynalite/mended-dynalite.ts';
import { startEmbeddedS3 } from '../support/embedded-s3/server.ts';
import { startSimulatedComfyUI } from '../../simulated-comfyui/server.ts';
import { createS3Client } from '../../functions/images/s3/client.ts';
import { openBucket } from '../../functions/models/bucket.ts';
import { keyOf, MANIFEST_KEY } from '../../functions/models/manifest.ts';
import { connect } from '../../functions/runtime/connect.ts';
import { createTables } from '../../functions/store/dynamodb/create-tables.ts';
import { sha256Of } from '../models/hub.ts';

const { FOLDER: folder = '', TABLE_PREFIX: tablePrefix = '', ADDRESS: address = '' } = process.env;
const region = 'us-east-1';
const credentials = { accessKeyId: 'role', secretAccessKey: 'the-role-of-the-host' };
const asked: string[] = [];

const s3 = await startEmbeddedS3({
  directory: join(folder, 's3'),
  buckets: ['assets', 'models', 'images'],
  credentials,
  region,
});
const client = createS3Client({ endpoint: s3.url, region, credentials });
const asset = await readFile(join(folder, 'bundle.zip'));
const assets = openBucket(client, 'assets');
await assets.upload('host.zip', () => once(asset), { sizeBytes: asset.length, sha256: sha256Of(asset) });

const models = openBucket(client, 'models');
const vae = Buffer.alloc(100_000, 'vae');
const model = {
  folder: 'vae',
  filename: 'flux2-vae.safetensors',
  sizeBytes: vae.length,
  sha256: sha256Of(vae),
};

const dynalite = createDynalite();
await new Promise<void>((resolve) => {
  dynalite.listen(0, '127.0.0.1', resolve);
});
const dynamodbEndpoint = `http://127.0.0.1:${(dynalite.address() as AddressInfo).port}`;
const places = connect({
  region,
  dynamodbEndpoint,
  s3Endpoint: s3.url,
  tablePrefix,
  bucket: 'images',
  credentials,
});
await createTables(places.store, tablePrefix);

const comfyui = await startSimulatedComfyUI({ port: 8188, directory: join(folder, 'comfyui') });

/** IMDSv2: nothing without a token. */
const metadata = createServer((req, res) => {
  asked.push(`${req.method} metadata${req.url}`);
  if (req.method === 'PUT' && req.url === '/latest/api/token') return res.end('a-token');
  if (req.headers['x-aws-ec2-metadata-token'] !== 'a-token') return res.writeHead(401).end();
  const answers: Record<string, string | object> = {
    '/latest/dynamic/instance-identity/document': {
      instanceId: 'i-0123456789abcdef0',
      instanceType: 'g6e.2xlarge',
      privateIp: address,
      availabilityZone: 'us-east-1a',
      pendingTime: '2026-11-23T11:00:00Z',
      region,
    },
    '/latest/meta-data/iam/security-credentials/': 'host-role',
    '/latest/meta-data/iam/security-credentials/host-role': {
      Code: 'Success',
      Type: 'AWS-HMAC',
      LastUpdated: new Date().toISOString(),
      Expiration: new Date(Date.now() + 3_600_000).toISOString(),
      AccessKeyId: credentials.accessKeyId,
      SecretAccessKey: credentials.secretAccessKey,
      Token: 'of-the-session',
    },
  };
  const answer = answers[req.url ?? ''];
  if (answer === undefined) return res.writeHead(404).end();
  return res.end(typeof answer === 'string' ? answer : JSON.stringify(answer));
});
await new Promise<void>((resolve) => metadata.listen(80, '169.254.169.254', resolve));

const files = createServer((req, res) => {
  const url = req.url ?? '';
  if (url === '/asked') return res.end(JSON.stringify(asked));
  if (url === '/hosts')
    return void places.hosts.list().then(
      (hosts) => res.end(JSON.stringify(hosts)),
      (error) => res.end(String(error)),
    );
  if (url === '/comfyui/prompts')
    return res.end(
      String(comfyui.requests.filter(({ method, path }) => method === 'POST' && path === '/prompt').length),
    );
  if (url === '/seed') return void seedModels().then(() => res.end('seeded'));
  asked.push(`GET ${url}`);
  if (url === '/simple/comfy-cli/')
    return res
      .writeHead(200, { 'content-type': 'text/html' })
      .end('<a href="/files/comfy_cli-1.23.0-py3-none-any.whl">comfy_cli-1.23.0-py3-none-any.whl</a>');
  const name = /^\/files\/([\w.-]+)$/.exec(url)?.[1] ?? /^\/node\/v[\d.]+\/([\w.-]+)$/.exec(url)?.[1];
  if (name === undefined) return res.writeHead(404).end();
  return void readFile(join(folder, name)).then(
    (bytes) => res.end(bytes),
    () => res.writeHead(404).end(),
  );
});
await new Promise<void>((resolve) => files.listen(0, '127.0.0.1', resolve));

const filesUrl = `http://127.0.0.1:${(files.address() as AddressInfo).port}`;
process.stdout.write(
  `${JSON.stringify({ ready: true, s3: s3.url, dynamodb: dynamodbEndpoint, files: filesUrl })}\n`,
);

async function seedModels(): Promise<void> {
  const key = keyOf(model);
  await models.upload(key, () => once(vae), model);
  const source = { repo: 'us/models', revision: 'main', path: 'vae' };
  await models.putJson(MANIFEST_KEY, { v: 1, files: [{ ...model, key, source }] });
}

async function* once(bytes: Buffer) {
  yield bytes;
}
