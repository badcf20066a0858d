// openai 7.59.0 from npm, unchanged: copied into the folder that has it.

import OpenAI, { toFile } from 'openai';

const client = new OpenAI();
const small = { prompt: 'a red fox', size: '256x256', steps: 4 };
const { data } = await client.images.generate(small);
const [bytes] = data.map(({ b64_json }) => Buffer.from(b64_json, 'base64'));
const image = await toFile(bytes, 'fox.png', { type: 'image/png' });
const edited = await client.images.edit({ ...small, image });
const events = [];
for await (const { type } of await client.images.edit({ ...small, image, stream: true })) events.push(type);
const refused = await client.images.edit({ ...small, image, n: 0 }).catch(({ code }) => code);
console.log(
  JSON.stringify({
    node: process.versions.node.split('.')[0],
    edited: Buffer.from(edited.data[0].b64_json, 'base64').toString('latin1', 1, 4),
    events,
    refused,
  }),
);
