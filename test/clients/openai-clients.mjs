// `ai` with @ai-sdk/openai-compatible and @langchain/openai's image tool from npm, unchanged: copied into the folder that has them.

import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { DallEAPIWrapper } from '@langchain/openai';
import { generateImage } from 'ai';

const baseURL = process.env.OPENAI_BASE_URL;
const model = createOpenAICompatible({ name: 'comfy', baseURL, apiKey: 'any' }).imageModel(
  'flux2_turbo_default',
);
const providerOptions = { comfy: { steps: 4, seed: 5 } };
const { images } = await generateImage({
  model,
  prompt: 'a red fox',
  n: 3,
  size: '256x256',
  providerOptions,
});
const aborted = await generateImage({ model, prompt: 'a cat', abortSignal: AbortSignal.abort() }).catch(
  ({ name }) => name,
);
const tool = new DallEAPIWrapper({ apiKey: 'any', baseURL, model: 'dall-e-3', n: 1 });
const link = await fetch(await tool.invoke('a red fox'));
// What is not read keeps the process.
await link.arrayBuffer();
console.log(
  JSON.stringify({
    ai: images.map(({ mediaType }) => mediaType),
    different: new Set(images.map(({ base64 }) => base64)).size,
    aborted,
    langchain: link.headers.get('content-type'),
  }),
);
