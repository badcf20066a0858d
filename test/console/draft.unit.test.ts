// What a file becomes by its name, and where its fields stand.

import { expect, test } from 'vitest';
import type { WorkflowProposal } from '../../console/api/types.ts';
import {
  absentOf,
  asText,
  draftOf,
  isDoubtful,
  originOf,
  shortened,
} from '../../console/pages/workflows/draft.ts';

const none = { candidates: [], title: null };

test.each<[string, string | null, string, string]>([
  ['My Workflow (2).json', 'Fox', 'my_workflow_2', 'My Workflow (2)'],
  ['Blue sky.json', 'Fox', 'blue_sky', 'Blue sky'],
  ['Größe.png', null, 'groesse', 'Größe'],
  ['狐.json', null, 'workflow', '狐'],
  // What the file saves says more.
  ['ComfyUI_00001_.png', 'Fox', 'comfyui_00001', 'Fox'],
  ['workflow (3).json', 'Fox', 'workflow_3', 'Fox'],
  ['workflow_api.json', 'Fox', 'workflow_api', 'Fox'],
  ['Unsaved Workflow.json', 'Fox', 'unsaved_workflow', 'Fox'],
  ['.json', 'Großer Fuchs', 'grosser_fuchs', 'Großer Fuchs'],
  ['.json', 'x'.repeat(100), 'x'.repeat(64), 'x'.repeat(100)],
  // Nothing says what it is.
  ['ComfyUI_00001_.png', null, 'comfyui_00001', 'Neuer Workflow'],
  ['../../etc/passwd', null, 'workflow', 'Neuer Workflow'],
  ['.json', null, 'workflow', 'Neuer Workflow'],
])('%s, which saves %j, is called %s, with the title %s', (filename, saved, name, title) => {
  expect(draftOf({ ...none, title: saved }, filename, 'Neuer Workflow')).toMatchObject({
    file: filename,
    name,
    title,
  });
});

const proposal = {
  graph: {
    '6': { class_type: 'CLIPTextEncode', inputs: { text: 'a fox', clip: ['4', 0] } },
    '57:7': { class_type: 'Upscale', inputs: { 'how.model': 'x.pth' } },
  },
  inputs_file: { title: 'Workflow' },
  candidates: [],
} as unknown as WorkflowProposal;
const candidate = (to: string | string[]) =>
  ({ name: 'x', input: { type: 'string', to } }) as unknown as WorkflowProposal['candidates'][number];

test('a long name that is nearly nothing is judged at once', () => {
  const began = performance.now();
  draftOf(none, `${'workflow 1 '.repeat(5000)}!.json`, '');
  expect(performance.now() - began).toBeLessThan(1000);
});

test('a field is found in the graph: its node, its name, its value', () => {
  expect(originOf(proposal.graph, candidate('6.text'))).toEqual({ node: '6', field: 'text', value: 'a fox' });
  expect(originOf(proposal.graph, candidate(['57:7.how.model', '6.text']))).toEqual({
    node: '57:7',
    field: 'how.model',
    value: 'x.pth',
  });
  expect(originOf(proposal.graph, candidate('9.gone'))).toMatchObject({ value: undefined });
});

test('a value stands on one line, a long one shortened', () => {
  expect(asText('two\n lines')).toBe('two lines');
  expect(asText(undefined)).toBe('');
  expect(asText(false)).toBe('false');
  expect(shortened('x'.repeat(200))).toHaveLength(60);
});

test('what ComfyUI may refuse is doubtful, and only what no host has is absent', () => {
  const one = { node: '4', class_type: 'Loader', field: 'file', value: 'a.safetensors', hosts: [] };
  const none = { faults: [], missing: [], refused: [] };
  expect(isDoubtful(none)).toBe(false);
  expect(isDoubtful({ ...none, refused: ['no'] })).toBe(true);
  expect(isDoubtful({ ...none, missing: [{ ...one, hosts: ['a'] }] })).toBe(true);
  expect(
    absentOf({ missing: [one, one, { ...one, value: null }, { ...one, value: 'b', hosts: ['a'] }] }),
  ).toEqual(['a.safetensors', 'Loader']);
});
