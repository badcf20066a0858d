// Every kind of file that a job may save, in a real Chromium: films and sounds play and are sought in, texts are text, and what a
// browser cannot show is a link to save it.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Locator } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Console, hasChromium, openConsole, property } from './console.ts';

const saveAs = (kind: string, file: string) => ({
  class_type: 'LabSaveAs',
  inputs: { images: ['1', 0], file, subfolder: '', type: 'output', key: 'files', megabytes: 0, kind },
});
/** Where the page cuts it, at 20,000 bytes, a letter of two bytes is in the way. */
const LONG = `x${'é'.repeat(15_000)}`;
const EVERYTHING = {
  1: { class_type: 'EmptyImage', inputs: { width: 64, height: 64, batch_size: 1, color: 1 } },
  2: saveAs('mp4', 'film.mp4'),
  3: saveAs('webm', 'short.webm'),
  4: saveAs('flac', 'sound.flac'),
  5: saveAs('mp3', 'sound.mp3'),
  6: saveAs('opus', 'sound.opus'),
  7: saveAs('html', 'page.txt'),
  8: { class_type: 'SaveText', inputs: { text: LONG, filename_prefix: 'long', format: 'txt' } },
  9: saveAs('glb', 'model.glb'),
  10: saveAs('unknown', 'weights.dat'),
  11: { class_type: 'SaveImage', inputs: { images: ['1', 0], filename_prefix: 'still' } },
};
const FILM = { 1: EVERYTHING[1], 2: EVERYTHING[2] };
const color = { color: { type: 'integer', default: 1, minimum: 0, maximum: 0xffffff, to: '1.color' } };

describe.skipIf(!hasChromium)('What a job saves', () => {
  let folder: string;
  let shown: Console;
  const ids: Record<string, string> = {};
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'media-'));
    for (const [name, graph] of Object.entries({ everything: EVERYTHING, film: FILM })) {
      await writeFile(join(folder, `${name}.json`), JSON.stringify(graph));
      await writeFile(join(folder, `${name}.inputs.json`), JSON.stringify({ title: name, inputs: color }));
    }
    shown = await openConsole({ WORKFLOWS_PATH: folder });
    for (const name of ['film', 'everything']) ids[name] = await made(name);
  });
  afterAll(async () => {
    await shown?.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function made(workflow: string): Promise<string> {
    const accepted = await fetch(`${shown.url}api/generate`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ workflow }),
    });
    const { job_id: id } = (await accepted.json()) as { job_id: string };
    const status = async () => (await fetch(`${shown.url}api/status/${id}?wait=10`)).json();
    await vi.waitFor(async () => expect(await status()).toMatchObject({ status: 'completed' }), 30_000);
    return id;
  }

  const details = async (name: string, options: Parameters<Console['visit']>[0] = {}) => {
    const visit = await shown.visit({ at: `#/gallery/${ids[name]}`, ...options });
    return { ...visit, dialog: visit.page.getByRole('dialog') };
  };

  /** From the start, and then from its middle. */
  async function plays(medium: Locator): Promise<void> {
    await expect.poll(() => property(medium, 'duration')).toBeGreaterThan(0.2);
    await medium.evaluate(async (one: object) => {
      const it = one as { muted: boolean; play(): Promise<void> };
      it.muted = true;
      await it.play();
    });
    await expect.poll(() => property(medium, 'currentTime')).toBeGreaterThan(0);
    await medium.evaluate((one: object) => {
      const it = one as { pause(): void; duration: number; currentTime: number };
      it.pause();
      it.currentTime = it.duration / 2;
    });
    await expect.poll(() => property(medium, 'seeking')).toBe(false);
    expect(await property(medium, 'currentTime')).toBeGreaterThan(0.1);
    expect(await property(medium, 'error')).toBeNull();
  }

  test('films and sounds play, and are sought in by Range', async () => {
    const { page, dialog, close } = await details('everything');
    const partial: string[] = [];
    page.on('response', (answer) => {
      if (answer.status() === 206) partial.push(answer.url());
    });
    for (const ending of ['mp4', 'webm', 'flac', 'mp3', 'opus'])
      await plays(dialog.locator(`[aria-label$=".${ending}"]`));
    await page.reload();
    await expect.poll(() => partial.some((url) => url.includes('.mp4'))).toBe(true);
    await close();
  });

  test('a text is text, cut between its letters; a model and what is unknown are links', async () => {
    const { dialog, close } = await details('everything');
    const page = dialog.locator('pre', { hasText: '<!DOCTYPE' });
    await expect.poll(() => page.innerText()).toContain('<script>alert(1)</script>');
    const long = dialog.locator('pre', { hasText: 'éé' }).first();
    await expect.poll(() => long.innerText()).toBe(LONG.slice(0, 10_000));
    for (const ending of ['glb', 'dat']) await dialog.locator(`a[download$=".${ending}"]`).waitFor();
    await close();
  });

  test('what the browser cannot show is a link; the viewer turns through all kinds', async () => {
    const { page, dialog, close } = await details('everything');
    await dialog.getByRole('button', { name: /at full size/ }).click();
    const viewer = page.locator('.viewer');
    await viewer.locator('img').waitFor();
    const seen = new Set(['img']);
    const [, at, count] = /(\d+) of (\d+)/.exec(await viewer.innerText())!.map(Number) as [0, number, number];
    for (let turn = 0; turn < count; turn += 1) {
      await viewer.getByRole('button', { name: 'Next' }).click();
      await viewer.getByText(`${((at + turn) % count) + 1} of ${count}`).waitFor();
      for (const kind of ['video', 'audio', 'pre']) if (await viewer.locator(kind).count()) seen.add(kind);
    }
    expect([...seen].toSorted()).toEqual(['audio', 'img', 'pre', 'video']);
    await close();
  });

  test('a film that does not come is a link to save it', async () => {
    const { page, close } = await shown.visit();
    await page.route('**/*.mp4*', (route) => route.abort());
    await page.goto(`${shown.url}#/gallery/${ids['film']}`);
    await page.getByRole('dialog').locator('.file a[download$=".mp4"]').waitFor();
    expect(await page.getByRole('dialog').locator('video').count()).toBe(0);
    await close();
  });

  test('a tile without a picture says its kind', async () => {
    const { page, close } = await shown.visit({ at: '#/gallery' });
    const tile = page.getByRole('link', { name: /film/ });
    await tile.getByText('video').waitFor();
    expect(await tile.locator('svg').count()).toBe(1);
    await close();
  });

  test.each(['light', 'dark'] as const)(
    'axe finds nothing, and nothing is cut off: %s',
    async (colorScheme) => {
      const { page, dialog, axe, close } = await details('everything', {
        colorScheme,
        viewport: { width: 360, height: 800 },
        locale: 'de-DE',
      });
      await dialog.getByText('Die ersten').first().waitFor();
      expect(await axe()).toEqual([]);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(360);
      await close();
    },
  );
});
