// Every dialog, every empty place and every error that a person comes to, as axe sees it: both themes, both languages, forced colours.

import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BrowserContextOptions } from 'playwright-core';
import { PNG } from 'pngjs';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { en } from '../../console/text/en.ts';
import { type Console, hasChromium, openConsole, type Visit } from './console.ts';

const LOOKS = {
  'light, English': ['en', { locale: 'en-GB', colorScheme: 'light' }],
  'dark, German': ['de', { locale: 'de-DE', colorScheme: 'dark' }],
  'forced colours, English': ['en', { locale: 'en-GB', forcedColors: 'active' }],
} as const satisfies Record<string, [string, BrowserContextOptions]>;

/** Its types are of a browser: they are not these tests'. */
async function wordsOf(language: string): Promise<typeof en> {
  const file: Record<string, typeof en> = await import(`../../console/text/${language}.ts`);
  return file[language]!;
}

describe.skipIf(!hasChromium)('what a person comes to', () => {
  let shown: Console;
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'workflows-'));
    await cp('workflows', folder, { recursive: true });
    await addTooLarge();
    shown = await openConsole({ WORKFLOWS_PATH: folder });
  });
  afterAll(async () => {
    await shown?.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** The simulated ComfyUI has no memory for it. */
  async function addTooLarge(): Promise<void> {
    const graph = {
      '1': { class_type: 'EmptyImage', inputs: { width: 16_384, height: 16_384, batch_size: 1, color: 0 } },
      '2': { class_type: 'SaveImage', inputs: { images: ['1', 0], filename_prefix: 'x' } },
    };
    const inputs = { color: { type: 'integer', to: '1.color', title: 'Color', default: 0 } };
    await writeFile(join(folder, 'large.json'), JSON.stringify(graph));
    await writeFile(join(folder, 'large.inputs.json'), JSON.stringify({ title: 'Too large', inputs }));
  }

  test('a job that failed says why, is tried again where it cannot be read, and leads back to the form', async () => {
    const accepted = await fetch(`${shown.url}api/generate`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ workflow: 'large', color: 7 }),
    });
    const { job_id: id } = (await accepted.json()) as { job_id: string };
    await vi.waitUntil(async () => {
      const status = await fetch(`${shown.url}api/status/${id}?wait=10`);
      return ((await status.json()) as { status: string }).status === 'failed';
    }, 60_000);
    const { page, axe, close } = await shown.visit({ at: '#/gallery?state=failed' });
    const path = `**/api/jobs/${id}`;
    await page.route(path, (route) =>
      route.fulfill({ status: 500, json: { error: 'Internal error; request 7', code: 'internal_error' } }),
    );
    await page.getByRole('link', { name: /large/ }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('Internal error; request 7').waitFor();
    await page.unroute(path);
    await dialog.getByRole('button', { name: 'Try again' }).click();
    await dialog.getByText('EmptyImage (1)').waitFor();
    await dialog.locator('.field-error').getByText('Allocation on device').waitFor();
    expect(await axe()).toEqual([]);
    await dialog.getByRole('button', { name: 'Edit again' }).click();
    await page.getByRole('textbox', { name: 'Color' }).waitFor();
    expect(await page.getByRole('textbox', { name: 'Color' }).inputValue()).toBe('7');
    await page.goBack();
    await dialog.getByRole('button', { name: 'Delete' }).click();
    await page
      .getByRole('dialog', { name: 'Delete this job?' })
      .getByRole('button', { name: 'Delete' })
      .click();
    await page.getByText('Nothing matches.').waitFor();
    await close();
  });

  const button = ({ page }: Visit, name: string) => page.getByRole('button', { name, exact: true });
  const closeDialog = async ({ page }: Visit) => {
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
  };
  const picture = {
    name: 'one.png',
    mimeType: 'image/png',
    buffer: PNG.sync.write(new PNG({ width: 64, height: 64, fill: true })),
  };

  test.each(Object.entries(LOOKS))(
    '%s',
    async (_, [language, options]) => {
      const words = await wordsOf(language);
      // So high that the bar with Queue, which stays in sight, covers no field by half.
      const visit = await shown.visit({ viewport: { width: 900, height: 2000 }, ...options });
      const { page, axe, close } = visit;
      const isFine = async (where: string) =>
        expect({ where, faults: await axe() }).toEqual({ where, faults: [] });

      await page.locator('.send').waitFor();
      await page.locator('select').nth(1).selectOption('flux2_turbo_controlnet');
      await page.locator('input[type=file]').waitFor({ state: 'attached' });
      await isFine('Make, empty');
      await button(visit, words.make.queue).click();
      await page.locator('.field-error').first().waitFor();
      await isFine('Make, with faults');
      await button(visit, words.fileInput.made).click();
      await page.getByRole('dialog').getByRole('paragraph').or(page.locator('.tiles')).first().waitFor();
      await isFine('Made here');
      await closeDialog(visit);
      await page.locator('input[type=file]').setInputFiles({ ...picture, buffer: Buffer.alloc(0) });
      await page.locator('.drop ~ .field-error').waitFor();
      await isFine('an upload that was refused');
      await page.locator('input[type=file]').setInputFiles(picture);
      await page.locator('.drop-picture').waitFor();
      await page.locator('textarea[name=prompt]').fill('states');
      await button(visit, words.make.queue).click();
      await page.locator('[data-state=completed]').waitFor();
      await page.locator('button.picture').first().click();
      await page.locator('.viewer img').waitFor();
      await isFine('the viewer');
      await closeDialog(visit);

      await page.goto(`${shown.url}#/gallery?search=nothing+has+this`);
      await page.getByText(words.gallery.nothing).waitFor();
      await isFine('Gallery, nothing found');
      await page.goto(`${shown.url}#/gallery?label=none`);
      await page.getByRole('alert').waitFor();
      await isFine('Gallery, a wrong label');
      await page.goto(`${shown.url}#/gallery`);
      await page.locator('.gallery-tile').first().click();
      await page.locator('.facts').first().waitFor();
      await isFine('details');
      await button(visit, words.gallery.remove).click();
      await page.getByText(words.gallery.removeText).waitFor();
      await isFine('a question');
      await button(visit, words.back).click();
      await closeDialog(visit);
      await page.goto(`${shown.url}#/gallery/00000000-0000-4000-8000-000000000000`);
      await page.locator('.failed').waitFor();
      await isFine('a job that there is not');

      await page.goto(`${shown.url}#/workflows`);
      await page.locator('.workflow-list li').first().waitFor();
      const drop = (name: string, content: string) =>
        page
          .locator('input[type=file]')
          .setInputFiles({ name, mimeType: 'application/json', buffer: Buffer.from(content) });
      await drop('no.json', 'no json');
      await page.getByRole('alert').waitFor();
      await isFine('a file that is none');
      await drop(
        'lacks.json',
        JSON.stringify({
          '1': { class_type: 'NoSuchNode', inputs: { text: 'x', seed: 1 } },
          '2': { class_type: 'SaveImage', inputs: { images: ['1', 0], filename_prefix: 'x' } },
        }),
      );
      await page.locator('.editor').waitFor();
      await isFine('a file of what no host has');
      await button(visit, words.workflows.save).click();
      await page.getByRole('dialog').waitFor();
      await isFine('a question before it is saved');
      await closeDialog(visit);

      await page.goto(`${shown.url}#/operations`);
      await page.locator('.hosts li').waitFor();
      await button(visit, words.operations.newKey).click();
      await button(visit, words.operations.create).click();
      await page.locator('dialog .field-error').waitFor();
      await isFine('a key without a name');
      await page
        .locator('dialog input[name=name]')
        .fill(`of-${options.locale}-${'colorScheme' in options ? 'a' : 'b'}`);
      await button(visit, words.operations.create).click();
      await page.locator('.key-shown').waitFor();
      await isFine('a key that is shown once');
      await button(visit, words.operations.keyKept).click();
      await page.locator('summary').first().click();
      await isFine('a plot as a table');
      await close();
    },
    120_000,
  );
});
