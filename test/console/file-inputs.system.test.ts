// Inputs for sounds and films on the page Make, in a real Chromium: by the dialog, by a drop, from what was made here.

import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { flac } from '../../simulated-comfyui/sound.ts';
import { picture } from '../api/v2/support.ts';
import { type Console, hasChromium, openConsole, property } from './console.ts';

const SOUND = flac(440, 'console');
const WORKFLOWS = {
  a_sound: [
    {
      1: { class_type: 'LoadAudio', inputs: { audio: 'x.mp3' } },
      2: { class_type: 'SaveAudio', inputs: { audio: ['1', 0], filename_prefix: 'Sound' } },
    },
    { audio: { title: 'Sound', type: 'audio', required: true, to: '1.audio' } },
  ],
  film: [
    {
      1: { class_type: 'LoadVideo', inputs: { file: 'x.mp4' } },
      2: {
        class_type: 'SaveVideo',
        inputs: { video: ['1', 0], filename_prefix: 'Film', format: 'mp4', 'format.codec': 'auto' },
      },
    },
    { video: { title: 'Film', type: 'video', required: true, to: '1.file' } },
  ],
} as const;

describe.skipIf(!hasChromium)('Inputs that are files', () => {
  let folder: string;
  let shown: Console;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'file-inputs-'));
    for (const [name, [graph, inputs]] of Object.entries(WORKFLOWS)) {
      await writeFile(join(folder, `${name}.json`), JSON.stringify(graph));
      await writeFile(join(folder, `${name}.inputs.json`), JSON.stringify({ title: name, inputs }));
    }
    shown = await openConsole({ WORKFLOWS_PATH: folder });
  });
  afterAll(async () => {
    await shown?.close();
    await rm(folder, { recursive: true, force: true });
  });

  const file = (name: string, mimeType: string, buffer: Buffer) => ({ name, mimeType, buffer });

  test('a sound is chosen, heard, sent, and what came of it is an input again', async () => {
    const { page, axe, close } = await shown.visit();
    await page.getByLabel('Sound').setInputFiles(file('song.flac', 'audio/flac', SOUND));
    const player = page.locator('.drop audio');
    await expect.poll(() => property(player, 'duration')).toBeGreaterThan(0.2);
    expect(await axe()).toEqual([]);
    await page.getByRole('button', { name: 'Queue' }).click();
    const card = page.getByRole('article');
    await card.getByText('Done').waitFor();
    await page.getByRole('button', { name: 'Remove the sound' }).click();
    await expect.poll(() => player.count()).toBe(0);
    await page.getByRole('button', { name: 'Made here' }).click();
    await page
      .getByRole('dialog')
      .getByRole('button', { name: /^Sound_.*\.flac$/ })
      .click();
    await page
      .locator('.drop')
      .getByText(/^Sound_.*\.flac$/)
      .waitFor();
    await page.getByRole('button', { name: 'Remove the sound' }).click();
    await card.getByRole('button', { name: 'Use as input' }).click();
    await page
      .locator('.drop')
      .getByText(/^Sound_.*\.flac$/)
      .waitFor();
    await page.getByRole('button', { name: 'Queue' }).click();
    await expect.poll(() => page.getByRole('article').getByText('Done').count()).toBe(2);
    await close();
  });

  test('of files that are chosen the last counts, what is removed stays so, and no form is sent before it has its file', async () => {
    const { page, close } = await shown.visit();
    const held: (() => void)[] = [];
    await page.route('**/api/upload/link', async (route) => {
      await new Promise<void>((resolve) => held.push(resolve));
      // One that was given up goes nowhere.
      await route.continue().catch(() => undefined);
    });
    const given: string[] = [];
    page.on(
      'requestfailed',
      (request) => request.url().endsWith('/api/upload/link') && given.push(request.url()),
    );
    const sent: unknown[] = [];
    page.on(
      'request',
      (request) => request.url().endsWith('/api/generate') && sent.push(request.postDataJSON()),
    );
    const choose = async (name: string, sound: Buffer) => {
      const before = held.length;
      await page.locator('input[name=audio]').setInputFiles(file(name, 'audio/flac', sound));
      await expect.poll(() => held.length).toBe(before + 1);
    };
    const place = page.locator('.drop');
    const kept = () => page.evaluate<string>('JSON.stringify({ ...localStorage })');
    const later = flac(220, 'later');
    const name = `${createHash('sha256').update(later).digest('hex')}.flac`;

    await choose('earlier.flac', SOUND);
    await choose('later.flac', later);
    await expect.poll(() => given.length).toBe(1);
    await place.getByText('Uploading').waitFor();
    await page.getByRole('button', { name: 'Queue' }).click();
    await page.locator('.field-error', { hasText: 'still being uploaded' }).waitFor();
    expect(sent).toEqual([]);
    held[1]!();
    await page.locator('.drop audio').waitFor();
    held[0]!();
    expect(await page.locator('.field-error').count()).toBe(0);
    await page.getByRole('button', { name: 'Queue' }).click();
    await expect.poll(() => sent).toMatchObject([{ audio: name }]);

    await choose('removed.flac', SOUND);
    await page.getByRole('button', { name: 'Remove the sound' }).click();
    await place.getByText('Drop a sound here').waitFor();
    await expect.poll(() => given.length).toBe(2);
    held[2]!();
    expect(await kept()).toContain('forms');
    expect(await kept()).not.toMatch(/"audio\\*":/);
    await close();
  });

  test('of three files that are dropped at once it is said which one is taken', async () => {
    const { page, close } = await shown.visit();
    await page.locator('.drop').waitFor();
    await page.evaluate(`{
      const dataTransfer = new DataTransfer();
      for (const name of ['one.flac', 'two.flac', 'three.flac'])
        dataTransfer.items.add(new File([name], name, { type: 'audio/flac' }));
      document.querySelector('.drop').dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true }));
    }`);
    await page.locator('.notice', { hasText: 'of 3 it is one.flac' }).waitFor();
    await close();
  });

  test('what cannot be one is refused at its field before it is uploaded, and so is what the API does not take', async () => {
    const { page, axe, close } = await shown.visit();
    const sent: string[] = [];
    page.on('request', (request) => request.method() === 'POST' && sent.push(request.url()));
    const field = page.locator('.field').filter({ has: page.getByLabel('Sound') });
    const sound = page.getByLabel('Sound');
    await sound.setInputFiles(file('cat.png', 'image/png', picture()));
    await field.locator('.field-error', { hasText: 'cat.png' }).waitFor();
    expect(await sound.getAttribute('aria-invalid')).toBe('true');
    expect(await axe()).toEqual([]);
    expect(sent).toEqual([]);
    await sound.setInputFiles(file('empty.mp3', 'audio/mpeg', Buffer.alloc(0)));
    await field.locator('.field-error', { hasNotText: 'cat.png' }).waitFor();
    expect(sent).toHaveLength(1);
    expect(await page.locator('.notice').count()).toBe(0);
    await close();
  });

  test('what is no sound is refused at its field', async () => {
    const { page, close } = await shown.visit();
    await page.getByLabel('Sound').setInputFiles(file('song.mp3', 'audio/mpeg', picture()));
    await page.locator('.drop audio').waitFor();
    await page.getByRole('button', { name: 'Queue' }).click();
    await page.locator('.field-error', { hasText: 'image/png' }).waitFor();
    await close();
  });
});
