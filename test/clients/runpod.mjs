// Every call of runpod-sdk, as its README and examples make it, at our address. The last line that it prints is JSON.
// Arguments: the package's folder, the base address, a key, a file with a graph that reads photo.png, and an image in base64.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [folder, baseUrl, key, path] = process.argv.slice(2);
const entry = join(folder, 'node_modules/runpod-sdk/dist/src/index.js');
const { default: runpodSdk } = await import(pathToFileURL(entry).href);
const { graph, picture } = JSON.parse(await readFile(path, 'utf8'));

const endpoint = runpodSdk(key, { baseUrl }).endpoint('comfyui');
const input = { workflow: graph, images: [{ name: 'photo.png', image: `data:image/png;base64,${picture}` }] };
const said = {};

const typesOf = ({ output }) =>
  output.images.map(({ type, data }) => [type, Buffer.from(data, 'base64').toString('latin1', 1, 4)]);
const failure = (work) => work.then(() => 'none').catch((error) => [error.name, error.response?.status]);

const synced = await endpoint.runSync({ input });
said.runSync = { ...synced, output: typesOf(synced) };

const { id, status } = await endpoint.run({ input }, 30_000);
said.run = status;
said.statusSync = (await endpoint.statusSync(id)).status;
const read = await endpoint.status(id);
said.status = { ...read, output: typesOf(read) };

const streamed = await endpoint.run({ input }, 30_000);
said.stream = [];
for await (const one of endpoint.stream(streamed.id)) said.stream.push(...typesOf(one));

const flux = runpodSdk(key, { baseUrl }).endpoint('flux2_turbo_default');
const small = { prompt: 'a fox', width: 256, height: 256, steps: 4 };
said.workflow = (await flux.runSync({ input: small })).status;

const long = await flux.run({ input: { ...small, steps: 50, batch_size: 4 } }, 30_000);
said.cancel = (await endpoint.cancel(long.id)).status;
said.cancelled = (await endpoint.status(long.id)).status;
said.health = await endpoint.health();
said.purgeQueue = await endpoint.purgeQueue();
said.refused = await failure(endpoint.run({ input: {} }));
said.unknown = await failure(runpodSdk(key, { baseUrl }).endpoint('nowhere').health());
said.badKey = await failure(runpodSdk('wrong', { baseUrl }).endpoint('comfyui').health());

console.log(JSON.stringify(said));
