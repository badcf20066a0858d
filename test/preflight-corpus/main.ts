// `COMFYUI_URL=http://127.0.0.1:8188 node .build/preflight-corpus.mjs [--seed N] [--count N] [--record FILE]`: draws graphs
// out of a live ComfyUI's declarations, posts each to it without running it, and prints where the preflight answers
// otherwise. `--record` writes the corpus that CI replays without a ComfyUI: small graphs of the nodes in common use.

import { writeFile } from 'node:fs/promises';
import { isDeepStrictEqual, parseArgs } from 'node:util';
import { stringifyJson } from '../../functions/core/json.ts';
import { objectInfoOf, whileBusy } from './comfyui.ts';
import { answerOf, type Case, isStricter, kindOf, ourAnswer, type Posted } from './compare.ts';
import { declarationsFor, drawGraphs } from './draw.ts';

const COMMON =
  /^(Load|Save|Empty|KSampler|VAE|CLIP(Text|Loader|Set|Vis)|Image(Scale|Batch|Crop|Blur|Invert|ToMask)|Mask|Batch|Comfy|Resize|Create|Conditioning|Primitive|String|Preview|Latent(Up|Batch|From)|Checkpoint|Lora|UNET|Flux|BasicG|BasicS|SamplerCustom|RandomN|Webcam|CustomCombo|Select|ControlNet|SVD|Autogrow|DCTest|Join|JSON|Split|Painter|WanImage|Audio|Video|Get|Model)/;

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '33' },
    count: { type: 'string', default: '300' },
    record: { type: 'string' },
  },
});
const url = process.env['COMFYUI_URL'];
if (url === undefined) throw new Error('set COMFYUI_URL to a live ComfyUI 0.33, whose queue is empty');

const all = await objectInfoOf(url);
const isRecorded = values.record !== undefined;
const info = isRecorded ? Object.fromEntries(Object.entries(all).filter(([one]) => COMMON.test(one))) : all;
const drawn = drawGraphs(info, Number(values.seed), Number(values.count), isRecorded ? 3 : 7);
const posted = await whileBusy(url, async (post) => {
  const answers: Posted[] = [];
  for (const { graph } of drawn) answers.push(await post(graph));
  return answers;
});

const cases = drawn.map(({ how, graph }, index): Case => ({ how, graph, answer: answerOf(posted[index]!) }));
const counts = { accepted: 0, partly: 0, refused: 0, 'answered 500': 0 };
let [differing, stricter] = [0, 0];
for (const [index, { how, graph, answer }] of cases.entries()) {
  counts[kindOf(answer)] += 1;
  const ours = ourAnswer(graph, info);
  if (isDeepStrictEqual(answer, ours)) continue;
  if (isStricter(ours)) stricter += 1;
  else {
    differing += 1;
    console.log(
      `\n#${index} ${how || 'whole'}\n  ComfyUI ${stringifyJson(answer)}\n  ours    ${stringifyJson(ours)}`,
    );
    console.log(`  ${stringifyJson(graph)}`);
  }
}
console.log(
  `${cases.length} graphs (seed ${values.seed}): ${stringifyJson(counts)}; ${differing} answered otherwise, ${stricter} refused for a file outside of ComfyUI's folders`,
);
process.exitCode = differing === 0 ? 0 : 1;
if (values.record !== undefined) {
  const nodes = declarationsFor(
    drawn.map(({ graph }) => graph),
    info,
  );
  await writeFile(values.record, `${stringifyJson({ seed: Number(values.seed), nodes, cases })}\n`);
}
