// The built-in list of models against the workflows that need them, and lists of one's own.

import { expect, test } from 'vitest';
import { modelsOf } from '../../functions/core/object-info.ts';
import { FLUX2, parseWanted } from '../../functions/models/wanted.ts';
import { loadTemplates } from '../../functions/runtime/workflows.ts';

test('every model that a workflow names is seeded', async () => {
  const templates = await loadTemplates();
  const named = new Set([...templates.values()].flatMap(({ graph }) => modelsOf(graph)));
  expect([...named].sort()).toEqual(FLUX2.files.map(({ filename }) => filename).sort());
});

test.each([
  ['{', /models\.json is no JSON/],
  ['{"files": []}', /models\.json: licence: /],
  ['{"licence": {"name": "x", "url": "https://x.y"}, "files": []}', /models\.json: files: /],
  [
    '{"licence": {"name": "x", "url": "https://x.y"}, "files": [{"folder": "..", "filename": "a", "repo": "a/b", "revision": "main", "path": "a"}]}',
    /models\.json: files\.0\.folder: /,
  ],
])('a list that cannot be read is refused by its first wrong field: %s', (text, sentence) => {
  expect(() => parseWanted(text, 'models.json')).toThrow(sentence);
});
