// A body that people may paste: it fits whatever the template needs.

import { expect, test } from 'vitest';
import { exampleOf } from '../../functions/core/example.ts';
import { parseInputs } from '../../functions/core/inputs.ts';
import { parseTemplate } from '../../functions/core/template.ts';
import { shipped } from './templates.ts';

const graph = {
  '1': { class_type: 'LoadImage', inputs: { image: 'x.png' } },
  '2': { class_type: 'Scale', inputs: { image: ['1', 0], how: 'lanczos', by: 1, text: '' } },
};
const template = (inputs: Record<string, unknown>) =>
  parseTemplate('case', graph, { title: 'A case', inputs });

test.each([
  ['nothing that has a default', { by: { type: 'number', default: 2, to: '2.by' } }, {}],
  [
    'a text as long as it may be',
    { text: { type: 'string', required: true, max_length: 5, to: '2.text' } },
    { text: 'A red' },
  ],
  [
    'its default',
    { text: { type: 'string', required: true, default: 'a cat', to: '2.text' } },
    { text: 'a cat' },
  ],
  [
    'no default that is empty',
    { text: { type: 'string', required: true, default: '', max_length: 5 } },
    { text: 'A red' },
  ],
  ["the graph's own choice", { how: { type: 'choice', required: true, to: '2.how' } }, { how: 'lanczos' }],
  [
    'a multiple within its bounds',
    { by: { type: 'integer', required: true, minimum: 70, multiple_of: 16 } },
    { by: 80 },
  ],
  ['a number below its maximum', { by: { type: 'number', required: true, maximum: 0.5 } }, { by: 0.5 }],
  ['a switch', { on: { type: 'boolean', required: true } }, { on: true }],
])('%s', (_, inputs, values) => {
  const found = exampleOf(template(inputs));
  expect(found).toEqual({ values, files: [] });
  expect(() => parseInputs(template(inputs), found.values, undefined, {}, () => 0)).not.toThrow();
});

test('an image is named as one that only the caller has', () => {
  expect(exampleOf(template({ image: { type: 'image', required: true, to: '1.image' } }))).toEqual({
    values: {},
    files: [{ name: 'image', type: 'image' }],
  });
  expect(exampleOf(shipped('flux2_turbo_controlnet')).files).toEqual([{ name: 'image', type: 'image' }]);
});
