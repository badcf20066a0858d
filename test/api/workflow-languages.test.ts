// Workflows in the language of the caller: what is answered, and what keeps answers must know of it.

import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Rig, startRig } from '../support/rig.ts';
import { anotherProcess, call, SETTINGS } from './support.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
  await rig.addHost();
});
afterAll(() => rig.close());

interface Shown {
  title: string;
  description: string;
  inputs: { properties: Record<string, { title: string; description: string; default?: unknown }> };
  notes: Record<string, string>;
}
const ask = <T>(path: string, language?: string) =>
  call<T>(rig.app, `GET /api/workflows${path}`, {
    ...(language !== undefined && { headers: { 'accept-language': language } }),
  });
const DEFAULT = '/flux2_turbo_default';
const english = 'Text to image with FLUX.2 dev and the Turbo LoRA.';
const german = 'Vom Text zum Bild mit FLUX.2 dev und dem Turbo-LoRA.';

describe('one workflow', () => {
  test.each([
    [undefined, 'en'],
    // As Node's own fetch sends it.
    ['*', 'en'],
    ['de', 'de'],
    ['de-AT', 'de'],
    ['fr, de-CH;q=0.9, en;q=0.8', 'de'],
    ['en-US,en;q=0.9,de;q=0.8', 'en'],
    ['en;q=0.3, de;q=0.7', 'de'],
    ['de;q=0', 'en'],
    ['fr, ja;q=0.5', 'en'],
    ['de;q=1.0;x="a,b"', 'de'],
    [';;;,,="', 'en'],
    [`${'x-y, '.repeat(19)}de`, 'de'],
    // What no person reads is not looked at.
    [`${'x-y, '.repeat(1000)}de`, 'en'],
  ])('%j is answered in %s', async (language, expected) => {
    const { status, headers, json } = await ask<Shown>(DEFAULT, language);
    expect(status).toBe(200);
    expect(headers.get('content-language')).toBe(expected);
    expect(headers.get('vary')).toContain('Accept-Language');
    expect(json.description).toBe(expected === 'de' ? german : english);
    expect(json.inputs.properties['width']).toMatchObject({
      title: expected === 'de' ? 'Breite' : 'Width',
      default: 1024,
    });
    const [[note, shown] = []] = Object.entries(json.notes);
    expect(note).toContain('true_cfg');
    expect(shown === note).toBe(expected === 'en');
  });

  test('what keeps answers has no tag by which one language could stand for another', async () => {
    const { headers } = await ask(DEFAULT, 'de');
    expect([headers.get('etag'), headers.get('last-modified')]).toEqual([null, null]);
    const again = await rig.app.request(`/api/workflows${DEFAULT}`, { headers: { 'if-none-match': '*' } });
    expect(again.status).toBe(200);
  });

  test('beside the origin, where not all may call', async () => {
    const settings = { ...SETTINGS, allowedOrigins: ['https://a.example'] };
    const app = anotherProcess(rig, { settings });
    const { headers } = await call(app, `GET /api/workflows${DEFAULT}`, {
      headers: { origin: 'https://a.example', 'accept-language': 'de' },
    });
    expect(headers.get('vary')?.split(/, */).toSorted()).toEqual(['Accept-Language', 'Origin']);
    expect(headers.get('content-language')).toBe('de');
  });
});

describe('all of them', () => {
  interface Listed {
    titles: Record<string, string>;
    details?: { title: string; description: string }[];
  }

  test('their titles, and with details what they are for', async () => {
    const { headers, json } = await ask<Listed>('', 'de');
    expect(json.titles['flux2_turbo_upscale']).toBe('FLUX.2 Turbo, vergrößert');
    expect(headers.get('vary')).toContain('Accept-Language');
    expect(headers.get('content-language')).toBe('de');
    const { details } = (await ask<Listed>('?details=true', 'de')).json;
    expect(details?.map(({ description }) => description)).toContain(german);
    expect((await ask<Listed>('?details=true')).json.details?.[0]?.description).toBe(english);
  });

  test('each in the language that it has', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'languages-'));
    try {
      await cp('workflows', folder, { recursive: true });
      await cp('test/workflows/empty.json', join(folder, 'empty.json'));
      await cp('test/workflows/empty.inputs.json', join(folder, 'empty.inputs.json'));
      const { loadTemplates } = await import('../../functions/runtime/workflows.ts');
      const app = anotherProcess(rig, { workflows: { templates: await loadTemplates(folder), refused: [] } });
      const { headers, json } = await call<Listed>(app, 'GET /api/workflows', {
        headers: { 'accept-language': 'de' },
      });
      expect(Object.keys(json.titles)).toHaveLength(4);
      // That of the one without any is not known.
      expect(headers.get('content-language')).toBe('de');
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

test('what a caller is refused, and what a job notes, stays as it is', async () => {
  const headers = { 'accept-language': 'de' };
  const refused = await call(rig.app, 'POST /api/generate', { headers, json: { prompt: 'a', width: 1 } });
  expect(refused.json).toMatchObject({ code: 'invalid_field', details: { field: 'width' } });
  const json = { prompt: 'a fox', negative_prompt: 'blur' };
  const { json: accepted } = await call<{ notes: string[] }>(rig.app, 'POST /api/generate', {
    headers,
    json,
  });
  expect(accepted.notes).toEqual(Object.keys((await ask<Shown>(DEFAULT, 'de')).json.notes));
});
