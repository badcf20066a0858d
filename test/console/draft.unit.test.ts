// What a file becomes by its name, and where its fields stand.

import { expect, test } from 'vitest';
import type { WorkflowProposal } from '../../console/api/types.ts';
import {
  absentOf,
  asText,
  draftOf,
  isDoubtful,
  nameOf,
  originOf,
  shortened,
  titleOf,
} from '../../console/pages/workflows/draft.ts';

test.each([
  ['My Workflow (2).json', 'my_workflow_2', 'My Workflow (2)'],
  ['Blue sky.json', 'blue_sky', 'Blue sky'],
  ['ComfyUI_00001_.png', 'comfyui_00001', 'ComfyUI 00001'],
  ['../../etc/passwd', 'workflow', 'Workflow'],
  ['Größe.png', 'gr_e', 'Größe'],
  ['.json', 'workflow', 'Workflow'],
])('%s is called %s, with the title %s', (filename, name, title) => {
  expect(nameOf(filename)).toBe(name);
  expect(titleOf(filename)).toBe(title);
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

test('the title is the file’s, not the API’s word for any workflow', () => {
  expect(draftOf(proposal, 'Blue sky.json')).toMatchObject({ title: 'Blue sky', file: 'Blue sky.json' });
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
