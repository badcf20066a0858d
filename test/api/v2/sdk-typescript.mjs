// The official TypeScript client, unchanged, against this service: each public method of its classes is called. Run by
// sdk-typescript.test.ts with COMFY_BASE_URL; prints which methods were called, and which were not.

import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import * as sdk from '@comfyorg/sdk';

const { Comfy, Asset, AssetFactory, Workflow, WorkflowFactory, Job, JobFactory, Output } = sdk;
const CLASSES = { Comfy, Asset, AssetFactory, Workflow, WorkflowFactory, Job, JobFactory, Output };
const PRIVATE = new Set(['constructor', 'materialize', 'adopt', 'bindOutput']);
const called = new Set();
const methods = [];
for (const [name, { prototype }] of Object.entries(CLASSES))
  for (const [method, described] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
    if (PRIVATE.has(method)) continue;
    const known = `${name}.${method}`;
    methods.push(known);
    const counted = (work) =>
      function counts(...given) {
        called.add(known);
        return work.apply(this, given);
      };
    const { value, get } = described;
    Object.defineProperty(prototype, method, {
      ...described,
      ...(value && { value: counted(value) }),
      ...(get && { get: counted(get) }),
    });
  }

const { graph, picture } = JSON.parse(await readFile(process.argv[2], 'utf8'));
const bytes = Buffer.from(picture, 'base64');
const folder = await mkdtemp(join(tmpdir(), 'sdk-'));
try {
  const client = new Comfy({ timeoutMs: 20_000, clientInfo: 'test' });

  // The quick start of its README.
  await writeFile(join(folder, 'workflow_api.json'), JSON.stringify(graph));
  await writeFile(join(folder, 'photo.png'), bytes);
  const wf = await client.workflows.fromFile(join(folder, 'workflow_api.json'));
  const asset = client.assets.fromFile(join(folder, 'photo.png'));
  wf.setInput('1', 'image', asset);
  const job = await client.run(wf);
  await job.getOutputs('2')[0].toFile(join(folder, 'out.png'));
  const made = await readFile(join(folder, 'out.png'));
  assert.equal(made.subarray(1, 4).toString(), 'PNG');

  // Assets.
  assert.match(await asset.hash(), /^blake3:[0-9a-f]{64}$/);
  assert.equal(asset.createdNew, true);
  assert.equal(asset.filePath, 'photo.png');
  assert.equal(asset.jobId, undefined);
  assert.ok(Date.parse(asset.expiresAt) > Date.now());
  assert.deepEqual((await asset.asReference()).info.id, asset.id);
  const twice = client.assets.fromBytes(bytes, { filename: 'again.png' });
  assert.notEqual(await twice.commit(), asset.id);
  assert.equal(twice.createdNew, false);
  const streamed = await client.assets.fromStream(Readable.from([Buffer.from('of a stream')]), {
    filename: 'x.txt',
  });
  await streamed.commit();
  const fetched = await client.assets.fromUrl((await job.outputs[0].getDownloadUrl()).url);
  await fetched.commit();
  const known = await client.assets.get(asset.id);
  assert.equal(await known.hash(), await asset.hash());
  assert.equal((await client.assets.get(job.outputs[0].id)).jobId, job.id);
  await twice.delete();
  await client.assets.delete(streamed.id ?? (await streamed.commit()));
  await assert.rejects(client.assets.get('00000000-0000-8000-8000-000000000000'), sdk.NotFound);

  // Outputs.
  const [output] = job.outputs;
  assert.deepEqual(
    [
      output.nodeId,
      output.type,
      output.contentType,
      output.sizeBytes,
      output.jobId,
      output.name.endsWith('.png'),
    ],
    ['2', 'image', 'image/png', made.length, job.id, true],
  );
  assert.ok(made.equals(Buffer.from(await output.toBytes())));
  assert.equal((await output.toBytes({ range: [0, 9] })).length, 10);

  // Jobs: another way to each end.
  const second = await client.submit(client.workflows.fromJson(wf.json), { idempotencyKey: 'sdk-once' });
  const again = await client.submit(
    client.workflows.fromString(JSON.stringify({ ...graph, 1: wfNode(asset) })),
    {
      idempotencyKey: 'sdk-twice',
    },
  );
  const seen = [];
  for await (const event of second.events()) seen.push(event.kind);
  assert.equal(seen.at(-1), 'statusChange');
  assert.ok(seen.includes('outputReady'));
  await second.wait(20_000);
  await again.result();
  assert.equal((await second.refresh()).status, 'succeeded');
  assert.equal(second.error, null);
  const { workflow, format } = await second.getWorkflow();
  assert.equal(format, 'api');
  assert.equal(workflow[1].inputs.image.info.id, asset.id);
  const replayed = await client.submit(client.workflows.fromJson(wf.json), { idempotencyKey: 'sdk-once' });
  assert.equal(replayed.id, second.id);
  const cancelled = await client.jobs.get((await client.submit(wf)).id);
  await cancelled.cancel();
  assert.ok(['canceled', 'succeeded'].includes(cancelled.status));

  // What is refused has the client's own error.
  const broken = client.workflows.fromJson({ 1: { class_type: 'NoSuchNode', inputs: {} } });
  await assert.rejects(client.submit(broken), sdk.InvalidWorkflow);
  const elsewhere = structuredClone(graph);
  elsewhere[1].inputs.image = { __type: 'core/ASSET', info: { id: 'nowhere' } };
  await assert.rejects(client.submit(client.workflows.fromJson(elsewhere)), sdk.MissingAsset);
  await assert.rejects(
    client.submit(client.workflows.fromJson({}), { idempotencyKey: 'sdk-once' }),
    sdk.ComfyError,
  );
  await assert.rejects(client.submit(wf, { apiKey: 'comfyui-partner' }), sdk.ComfyError);
} finally {
  await rm(folder, { recursive: true });
}

function wfNode(asset) {
  return {
    ...graph[1],
    inputs: { ...graph[1].inputs, image: { __type: 'core/ASSET', info: { id: asset.id } } },
  };
}

console.log(JSON.stringify({ methods, uncalled: methods.filter((method) => !called.has(method)) }));
