// Owns the proof that the simulation's images are real: right size, own look per seed, the graph inside.
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { imageSize } from 'image-size';
import { PNG } from 'pngjs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dotAt } from '../../simulated-comfyui/font.ts';
import { encodeBlockyJpeg } from '../../simulated-comfyui/jpeg.ts';
import { Painting, paintingOf } from '../../simulated-comfyui/painting.ts';
import { encodePng } from '../../simulated-comfyui/png.ts';
import { type SimulatedComfyUI, startSimulatedComfyUI } from '../../simulated-comfyui/server.ts';
import { ask, askUntil } from './client.ts';
import {
  chain,
  emptyImage,
  flux,
  fluxUpscaled,
  loadImage,
  plainGraph,
  save,
  type TestGraph,
} from './graphs.ts';

let comfyui: SimulatedComfyUI;
beforeAll(async () => {
  // 0.8 takes any prompt id.
  comfyui = await startSimulatedComfyUI({ version: '0.8', stepMs: 0 });
});
afterAll(() => comfyui.close());

interface Image {
  filename: string;
  subfolder: string;
  type: string;
}
type Entry = {
  outputs: Record<string, { images: Image[] }>;
  status: { status_str: string; messages: [string, Record<string, unknown>][] };
};

let submitted = 0;
async function run(prompt: TestGraph, more: object = {}): Promise<Entry> {
  const prompt_id = `image-${++submitted}`;
  const [status, answer] = await ask(comfyui.url, 'POST', '/prompt', { prompt, prompt_id, ...more });
  expect([status, answer]).toMatchObject([200, { prompt_id }]);
  const history = await askUntil(
    comfyui.url,
    `/history/${prompt_id}`,
    (body) => prompt_id in (body as object),
  );
  return (history as Record<string, Entry>)[prompt_id]!;
}

async function bytesOf({ filename, subfolder, type }: Image): Promise<Buffer> {
  const query = new URLSearchParams({ filename, subfolder, type });
  const answer = await fetch(`${comfyui.url}/view?${query.toString()}`);
  expect(answer.status).toBe(200);
  return Buffer.from(await answer.arrayBuffer());
}

async function pictures(prompt: TestGraph, more?: object): Promise<Buffer[]> {
  const { outputs } = await run(prompt, more);
  return Promise.all(Object.values(outputs).flatMap(({ images }) => images.map(bytesOf)));
}
const sizeOf = async (prompt: TestGraph) => {
  const { width, height } = PNG.sync.read((await pictures(prompt))[0]!);
  return [width, height];
};

function textOf(png: Buffer, keyword: string): unknown {
  for (let at = 8; at < png.length; at += 12 + png.readUInt32BE(at)) {
    const body = png.subarray(at + 8, at + 8 + png.readUInt32BE(at));
    const isText = png.toString('latin1', at + 4, at + 8) === 'tEXt';
    if (isText && body.toString('latin1').startsWith(`${keyword}\0`))
      return JSON.parse(body.toString('latin1', keyword.length + 1));
  }
  return undefined;
}

describe('the size', () => {
  test('is the one asked for', async () => {
    expect(await sizeOf(plainGraph(1, 'T', 100, 37))).toEqual([100, 37]);
    expect(await sizeOf(flux(1, 'x', 512))).toEqual([512, 512]);
  });

  test('follows an upscale through encoding, a second sampler and decoding', async () => {
    expect(await sizeOf(fluxUpscaled(1.5))).toEqual([384, 384]);
    // The VAE crops 256 * 1.3 = 333 to whole cells of 16.
    expect(await sizeOf(fluxUpscaled(1.3))).toEqual([320, 320]);
  });

  test('follows the image nodes', async () => {
    const start = emptyImage(1, 640, 480);
    const total = { upscale_method: 'area', megapixels: 1, resolution_steps: 16 };
    const canny = { low_threshold: 0.4, high_threshold: 0.8 };
    expect(await sizeOf(chain(start, ['ImageScaleToTotalPixels', total], ['Canny', canny]))).toEqual([
      1184, 880,
    ]);
    expect(
      await sizeOf(chain(start, ['ImageInvert', {}], ['ImageBlur', { blur_radius: 1, sigma: 1 }])),
    ).toEqual([640, 480]);
    // Python rounds halves to even: 2.5 is 2.
    const half = { upscale_method: 'area', scale_by: 0.5 };
    expect(await sizeOf(chain(emptyImage(1, 5, 7), ['ImageScaleBy', half]))).toEqual([2, 4]);
  });

  test('of a latent follows its upscale, and numbers of an image can be asked for', async () => {
    const graph = flux(3, 'x');
    graph['12'] = {
      class_type: 'LatentUpscaleBy',
      inputs: { samples: ['8', 0], upscale_method: 'area', scale_by: 2 },
    };
    graph['10']!.inputs['samples'] = ['12', 0];
    expect(await sizeOf(graph)).toEqual([512, 512]);
    graph['13'] = { class_type: 'GetImageSize', inputs: { image: ['10', 0] } };
    graph['14'] = {
      class_type: 'EmptyImage',
      inputs: { width: ['13', 0], height: 64, batch_size: ['13', 2], color: 0 },
    };
    graph['11'] = save('14');
    expect(await sizeOf(graph)).toEqual([512, 64]);
  });

  test('of a loaded image is read from the file: PNG, JPEG and WebP', async () => {
    const painting = new Painting({ key: 'a', words: '' }, 12, 9);
    const webp = 'UklGRiIAAABXRUJQVlA4IBYAAAAwAQCdASoBAAEADsD+JaQAA3AAAAAA';
    const files = {
      'a.png': await encodePng(painting, {}),
      'a.jpg': encodeBlockyJpeg(painting),
      'a.webp': Buffer.from(webp, 'base64'),
    };
    for (const [name, bytes] of Object.entries(files))
      await writeFile(join(comfyui.inputDirectory, name), bytes);
    for (const [name, size] of [
      ['a.png', [12, 9]],
      ['a.jpg', [96, 72]],
      ['a.webp [input]', [1, 1]],
    ] as const)
      expect(await sizeOf(chain(loadImage(name)))).toEqual(size);
  });

  test('that no machine here could hold fails the prompt, not the server', async () => {
    const { status } = await run(plainGraph(1, 'T', 16_384, 16_384));
    expect(status.messages.at(-1)).toMatchObject([
      'execution_error',
      { exception_type: 'torch.OutOfMemoryError' },
    ]);
  });
});

describe('the picture', () => {
  test('differs by seed and within a batch, and is the same for the same', async () => {
    const first = await pictures(flux(1, 'a fox'));
    const other = await pictures(flux(2, 'a fox'));
    expect(other[0]).not.toEqual(first[0]);
    const pixels = (png: Buffer) => PNG.sync.read(png).data;
    expect(pixels(other[0]!).equals(pixels(first[0]!))).toBe(false);
    await ask(comfyui.url, 'POST', '/free', { free_memory: true });
    expect(pixels((await pictures(flux(1, 'a fox')))[0]!).equals(pixels(first[0]!))).toBe(true);
    const [a, b] = await pictures(plainGraph(5, 'T', 64, 64, 2));
    expect(pixels(a!).equals(pixels(b!))).toBe(false);
  });

  test('says "simulated" in its pixels', async () => {
    const { data, width } = PNG.sync.read((await pictures(plainGraph(9)))[0]!);
    for (let row = 0; row < 7; row++)
      for (let column = 0; column < 54; column++) {
        const at = ((row + 1) * width + column + 1) * 4;
        const white = data[at] === 255 && data[at + 1] === 255 && data[at + 2] === 255;
        expect([row, column, white]).toEqual([row, column, dotAt('SIMULATED', column, row)]);
      }
  });

  test('carries the graph and what else it was given, in letters that a PNG text may hold', async () => {
    const graph = flux(4, 'größe 狐 "quoted"');
    const workflow = { nodes: [], name: 'ü' };
    const [png] = await pictures(graph, { extra_data: { extra_pnginfo: { workflow } } });
    expect(textOf(png!, 'prompt')).toEqual(graph);
    expect(textOf(png!, 'workflow')).toEqual(workflow);
    expect(png!.includes('gr\\u00f6\\u00dfe \\u72d0')).toBe(true);
  });

  test('is written quickly, even a large one', async () => {
    const times: number[] = [];
    for (let round = 0; round < 5; round++) {
      // Of the processor: what else the machine does takes nothing from it.
      const from = process.cpuUsage();
      await encodePng(paintingOf({ key: String(round), words: 'a fox' }, 1024, 1024), {});
      const { user, system } = process.cpuUsage(from);
      times.push((user + system) / 1000);
    }
    expect(Math.min(...times)).toBeLessThan(150);
  });

  test('as a preview is a real JPEG', () => {
    const jpeg = encodeBlockyJpeg(new Painting({ key: 'a', words: '' }, 64, 48));
    expect(imageSize(jpeg)).toMatchObject({ type: 'jpg', width: 512, height: 384 });
    expect(jpeg.subarray(-2)).toEqual(Buffer.from([0xff, 0xd9]));
  });
});

describe('the file', () => {
  const names = (entry: Entry) => Object.values(entry.outputs).flatMap(({ images }) => images);

  test('takes the next number of its folder and prefix, and starts again in an emptied folder', async () => {
    expect(names(await run(plainGraph(1, 'deep/er/N', 64, 64, 2)))).toEqual([
      { filename: 'N_00001_.png', subfolder: 'deep/er', type: 'output' },
      { filename: 'N_00002_.png', subfolder: 'deep/er', type: 'output' },
    ]);
    expect(names(await run(plainGraph(2, 'deep/er/N')))).toMatchObject([{ filename: 'N_00003_.png' }]);
    expect(names(await run(plainGraph(2, 'deep/N')))).toMatchObject([{ filename: 'N_00001_.png' }]);
    await writeFile(join(comfyui.outputDirectory, 'deep', 'N_00041_.png'), '');
    expect(names(await run(plainGraph(3, 'deep/N')))).toMatchObject([{ filename: 'N_00042_.png' }]);
    expect(await readdir(join(comfyui.outputDirectory, 'deep', 'er'))).toHaveLength(3);
    await rm(join(comfyui.outputDirectory, 'deep'), { recursive: true });
    expect(names(await run(plainGraph(4, 'deep/N')))).toMatchObject([{ filename: 'N_00001_.png' }]);
  });

  test('counts no name that begins with digits, and none that has no next number', async () => {
    for (const id of ['12345678901234567890abcdefabcdef', '12345678901234567890123456789012'])
      await writeFile(join(comfyui.outputDirectory, `Q_${id}_00001_.png`), '');
    expect(names(await run(plainGraph(31, 'Q')))).toMatchObject([{ filename: 'Q_00001_.png' }]);
    expect(names(await run(plainGraph(32, 'Q')))).toMatchObject([{ filename: 'Q_00002_.png' }]);
  });

  test('is the old one for an identical SaveImage, and a new one under another prefix', async () => {
    const first = names(await run(plainGraph(7, 'same')));
    expect(names(await run(plainGraph(7, 'same')))).toEqual(first);
    expect(names(await run(plainGraph(7, 'other')))).toMatchObject([{ filename: 'other_00001_.png' }]);
    // Only the last prompt is remembered, so this one is made again.
    expect(names(await run(plainGraph(7, 'same')))).toMatchObject([{ filename: 'same_00002_.png' }]);
  });

  test('of a preview node is temporary', async () => {
    const graph = plainGraph(8);
    graph['2'] = { class_type: 'PreviewImage', inputs: { images: ['1', 0] } };
    const [image] = names(await run(graph));
    expect(image).toMatchObject({ subfolder: '', type: 'temp' });
    expect(PNG.sync.read(await bytesOf(image!)).width).toBe(64);
  });

  test('may not leave the output folder', async () => {
    const { status } = await run(plainGraph(1, '../outside/x'));
    expect(status).toMatchObject({ status_str: 'error', completed: false });
    await expect(readFile(join(comfyui.outputDirectory, '..', 'outside'))).rejects.toThrow('ENOENT');
  });

  test('that changed is loaded again, and one that is the same is not', async () => {
    const path = join(comfyui.inputDirectory, 'again.png');
    const paint = (key: string) => encodePng(new Painting({ key, words: '' }, 20, 20), {});
    const cached = (entry: Entry) => entry.status.messages[1]![1]['nodes'];
    await writeFile(path, await paint('one'));
    expect(cached(await run(chain(loadImage('again.png'))))).toEqual([]);
    expect(cached(await run(chain(loadImage('again.png'))))).toEqual(['1', '2']);
    await writeFile(path, await paint('two'));
    expect(cached(await run(chain(loadImage('again.png'))))).toEqual([]);
  });
});
