// What the README of @saintno/comfyui-sdk shows, called as it shows it, at the address of our wire. Prints one line of JSON.
// Arguments: the package's folder, the address, and `polls` where it opens no socket: the SDK's pool fails there by itself.

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const [folder, host, polls] = process.argv.slice(2);
const sdk = createRequire(join(folder, 'package.json'))('@saintno/comfyui-sdk');
const { CallWrapper, ComfyApi, ComfyPool, EQueueMode, PromptBuilder } = sdk;
const workflow = JSON.parse(
  await readFile(join(import.meta.dirname, '../../workflows/flux2_turbo_default.json'), 'utf8'),
);
const said = { events: [], images: [] };

const SAVES = Object.keys(workflow).find((id) => workflow[id].class_type === 'SaveImage');
const prompt = (text, steps = 4) =>
  new PromptBuilder(workflow, ['positive', 'model', 'seed', 'step', 'width', 'height', 'batch'], ['images'])
    .setInputNode('positive', '4.inputs.text')
    .setInputNode('model', '1.inputs.unet_name')
    .setInputNode('seed', '8.inputs.seed')
    .setInputNode('step', '8.inputs.steps')
    .setInputNode('width', '7.inputs.width')
    .setInputNode('height', '7.inputs.height')
    .setInputNode('batch', '7.inputs.batch_size')
    .setOutputNode('images', SAVES)
    .input('positive', text)
    .input('seed', Math.floor(Math.random() * 2 ** 32))
    .input('step', steps)
    .input('width', 256)
    .input('height', 256)
    .input('batch', 1);

const api = new ComfyApi(host).init();
await api.waitForReady();
said.os = api.osType;
said.checkpoints = await api.getCheckpoints();
said.loras = (await api.getLoras()).length;
said.samplers = (await api.getSamplerInfo()).sampler[0].length;
said.nodes = Object.keys(await api.getNodeDefs()).length;
said.node = Object.keys(await api.getNodeDefs('KSampler'));
said.embeddings = await api.getEmbeddings();
said.extensions = await api.getExtensions();
said.folders = await api.getModelTypes();
said.features = typeof (await api.getFeatures());
said.stats = (await api.getSystemStats()).system.comfyui_version;
said.status = (await api.pollStatus()).exec_info.queue_remaining;

/** Resolves with the URLs of the images. */
const run = (on, builder) =>
  new Promise((resolve, reject) => {
    new CallWrapper(on, builder)
      .onPending((id) => said.events.push(['pending', typeof id]))
      .onStart((id) => said.events.push(['start', typeof id]))
      .onProgress(({ value, max }) => said.events.push(['progress', `${value}/${max}`]))
      .onPreview((blob) => said.events.push(['preview', blob.size > 0]))
      .onFinished((data) => resolve(data.images.images.map((image) => on.getPathImage(image))))
      .onFailed((error) => reject(error))
      .run();
  });
const bytesAt = async (url) => Buffer.from(await (await fetch(url)).arrayBuffer());

for (const url of await run(api, prompt('A picture of a cute cat', 100))) {
  const bytes = await bytesAt(url);
  said.images.push(bytes.subarray(1, 4).toString());
}
const [[promptId, entry]] = Object.entries(await api.getHistories(1));
said.history = {
  status: entry.status.status_str,
  same: (await api.getHistory(promptId)).outputs[SAVES].images.length,
};
const [shown] = entry.outputs[SAVES].images;
said.blob = (await api.getImage(shown)).size;

const picture = await bytesAt(api.getPathImage(shown));
const { info } = await api.uploadImage(picture, 'cat.png', { override: true });
said.uploaded = info;
const copies = new PromptBuilder(
  {
    1: { class_type: 'LoadImage', inputs: { image: info.filename } },
    9: { class_type: 'SaveImage', inputs: { images: ['1', 0], filename_prefix: 'copy' } },
  },
  [],
  ['images'],
).setOutputNode('images', '9');
said.copies = (await run(api, copies)).length;

// A pool of two clients of one address: each job goes to one of them.
if (polls === undefined) {
  const pool = new ComfyPool([new ComfyApi(host), new ComfyApi(host)], EQueueMode.PICK_ZERO);
  const batch = await pool.batch(
    Array.from({ length: 4 }, (_, nth) => (client) => run(client, prompt(`cat ${nth}`))),
    0,
  );
  said.batch = batch.flat().length;
  pool.destroy();
}

said.queue = Object.keys(await api.getQueue());
await api.interrupt();
said.freed = await api.freeMemory(true, true);
said.refused = await new Promise((resolve) => {
  const bad = prompt('no such model').input('model', 'none.safetensors');
  new CallWrapper(api, bad)
    .onFinished(() => resolve('finished'))
    .onFailed((error) => resolve(error.name))
    .run();
});
api.destroy();
console.log(JSON.stringify(said));
process.exit(0);
