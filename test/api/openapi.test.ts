// The OpenAPI document against the app: every route is in it, and nothing else is. What routes answer: answers.test.ts.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { askForKeys } from '../../functions/api/http/access.ts';
import type { ApiApp } from '../../functions/api/deps.ts';
import { type Rig, startRig } from '../support/rig.ts';
import { type Described, documentOfApp, operationsOf } from './described.ts';
import { anotherProcess, type Json } from './support.ts';

let rig: Rig;
let app: ApiApp;
let document: Described;
beforeAll(async () => {
  rig = await startRig({ forward: false });
  app = anotherProcess(rig, { admit: askForKeys(rig.store) });
  document = await documentOfApp(app);
});
afterAll(() => rig.close());

const operations = () => operationsOf(document);

describe('the document', () => {
  test('is this one', async () => {
    await expect(`${JSON.stringify(document, undefined, 2)}\n`).toMatchFileSnapshot(
      '__snapshots__/openapi.json',
    );
  });

  test('has every route of the app, and no other', () => {
    const routes = app.routes
      .filter(({ method }) => method !== 'ALL')
      .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`);
    expect(
      operations()
        // They are loaded when they are first asked for: answers.test.ts asks for each.
        .filter(({ operation }) => operation.tags[0] !== 'Operations')
        .map(({ route }) => route)
        .toSorted(),
    ).toEqual([...new Set(routes)].toSorted());
  });

  test('names every operation once, and every reference leads somewhere', () => {
    const ids = operations().map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)];
    expect(references.length).toBeGreaterThan(50);
    for (const [, path] of references) {
      const found = path!.split('/').reduce<unknown>((place, part) => (place as Json)?.[part], document);
      expect([path, typeof found]).toEqual([path, 'object']);
    }
  });

  test('declares every parameter of a path', () => {
    for (const { route, operation } of operations()) {
      const named = [...route.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      const declared = operation.parameters ?? [];
      expect(declared.filter((one) => one.in === 'path').map(({ name }) => name)).toEqual(named);
    }
  });

  test('asks for a key everywhere but at the description itself; where none is wanted it speaks of none', async () => {
    const open = operations().filter(({ operation }) => operation.security?.length === 0);
    expect(
      open.map(({ route }) => route.replace('/api', '')).every((route) => /openapi|docs/.test(route)),
    ).toBe(true);
    expect(operations().every(({ operation }) => operation.security !== undefined)).toBe(true);
    const without = JSON.stringify(await documentOfApp(rig.app));
    expect(without).not.toMatch(/security|Unauthorized"\}|scope `/);
  });

  test('takes its inputs from the templates that validate them', () => {
    const [first, second] = document.components.schemas['GenerateRequest']!['oneOf'] as Json[];
    expect(first).toMatchObject({
      required: ['prompt'],
      additionalProperties: false,
      properties: {
        workflow: { const: 'flux2_turbo_default' },
        width: { minimum: 256, maximum: 2048, multipleOf: 16 },
        preset: { enum: expect.arrayContaining(['turbo']) },
      },
    });
    expect(second).toMatchObject({ required: ['workflow', 'prompt', 'image'] });
  });

  test('is made once, and not sent to whoever has it', async () => {
    const here = await app.request('/openapi.json');
    const there = await app.request('/api/openapi.json');
    expect(await here.text()).toBe(await there.text());
    const etag = here.headers.get('etag')!;
    const again = await app.request('/openapi.json', { headers: { 'if-none-match': `"other", ${etag}` } });
    expect([again.status, await again.text()]).toEqual([304, '']);
    const changed = await app.request('/openapi.json', { headers: { 'if-none-match': '"other"' } });
    expect(changed.status).toBe(200);
  });
});
