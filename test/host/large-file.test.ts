// A file of any length goes from ComfyUI into the bucket and out again in pieces: what it takes in memory does not grow with it.
// LARGE_FILE_MB=2048 makes it one of 2 GB.

import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Rig, startRig } from '../support/rig.ts';

const MB = 1024 * 1024;
const MEGABYTES = Number(process.env['LARGE_FILE_MB'] ?? 300);
/** Of the host, of the API and of ComfyUI together, which are one process here. */
const MOST = 150 * MB;

let folder: string;
let rig: Rig;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'large-file-'));
  const workflows = join(folder, 'workflows');
  await mkdir(workflows);
  const file = { file: 'film.mp4', subfolder: '', type: 'output', key: 'gifs', kind: 'mp4' };
  const graph = {
    1: { class_type: 'EmptyImage', inputs: { width: 64, height: 64, batch_size: 1, color: 1 } },
    2: { class_type: 'LabSaveAs', inputs: { images: ['1', 0], ...file, megabytes: MEGABYTES } },
  };
  await writeFile(join(workflows, 'film.json'), JSON.stringify(graph));
  await writeFile(join(workflows, 'film.inputs.json'), JSON.stringify({ title: 'film', inputs: {} }));
  rig = await startRig({ workflows });
  await rig.addHost();
});
afterAll(async () => {
  await rig.close();
  await rm(folder, { recursive: true, force: true });
});

/** The growth of the resident memory while `work` runs, bytes. */
async function growthOf<T>(work: () => Promise<T>): Promise<{ result: T; growth: number }> {
  const before = process.memoryUsage.rss();
  let peak = before;
  const sample = () => void (peak = Math.max(peak, process.memoryUsage.rss()));
  const timer = setInterval(sample, 10);
  try {
    const result = await work();
    sample();
    return { result, growth: peak - before };
  } finally {
    clearInterval(timer);
  }
}

test(`${MEGABYTES} MB`, async () => {
  const began = performance.now();
  const { result: jobId, growth: stored } = await growthOf(async () => {
    const id = await rig.generate({ workflow: 'film' });
    await rig.until(id, ['completed', 'failed'], 300_000);
    return id;
  });
  const seconds = (performance.now() - began) / 1000;
  const status = (await (await fetch(`${rig.url}/api/status/${jobId}`)).json()) as {
    outputs: { filename: string; sha256: string; url: string }[];
  };
  expect(status).toMatchObject({
    status: 'completed',
    attempts: 1,
    outputs: [{ kind: 'video', content_type: 'video/mp4', size_bytes: MEGABYTES * MB }],
  });
  const [{ filename, sha256, url }] = status.outputs as [(typeof status.outputs)[number]];

  const { growth: read } = await growthOf(async () => {
    for (const at of [url, `${rig.url}/api/image/${filename}`]) {
      const hash = createHash('sha256');
      const answer = await fetch(at);
      for await (const piece of answer.body!) hash.update(piece);
      expect(hash.digest('hex')).toBe(sha256);
      const part = await fetch(at, { headers: { range: `bytes=${MEGABYTES * MB - 5}-` } });
      expect([part.status, (await part.arrayBuffer()).byteLength]).toEqual([206, 5]);
      expect(part.headers.get('content-range')).toBe(
        `bytes ${MEGABYTES * MB - 5}-${MEGABYTES * MB - 1}/${MEGABYTES * MB}`,
      );
    }
  });
  console.log(
    `${MEGABYTES} MB: stored in ${seconds.toFixed(1)} s, ${Math.round(stored / MB)} MB of memory; read, ${Math.round(read / MB)} MB`,
  );
  expect(stored).toBeLessThan(MOST);
  expect(read).toBeLessThan(MOST);
}, 600_000);
