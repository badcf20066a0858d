// Which command lines of `npm run generate` are understood, and what is said about the others.

import { expect, test } from 'vitest';
import type { Workflow } from '../../functions/cli/api.ts';
import { localCatalogue } from '../../functions/cli/catalogue.ts';
import { refuseFlagsKeptByNpm } from '../../functions/cli/flags.ts';
import { helpOf } from '../../functions/cli/help.ts';
import { firstLook, programOf, readCommand } from '../../functions/cli/inputs.ts';

const catalogue = await localCatalogue(undefined);
const workflow = await catalogue.describe('flux2_turbo_default');
const controlnet = await catalogue.describe('flux2_turbo_controlnet');
const program = programOf(workflow, catalogue.names);
const promptless: Workflow = {
  ...workflow,
  name: 'promptless',
  inputs: { ...workflow.inputs, required: [], properties: { seed: { type: 'integer', 'x-input': 'seed' } } },
};

test.each<[string[], Record<string, string>]>([
  [['a', 'red', 'fox'], { prompt: 'a red fox' }],
  [['--prompt', 'a fox'], { prompt: 'a fox' }],
  [['--prompt=-5 degrees'], { prompt: '-5 degrees' }],
  [['--', '-5 degrees'], { prompt: '-5 degrees' }],
  [['fox', '--lora-strength', '0.5'], { prompt: 'fox', lora_strength: '0.5' }],
  [['fox', '--lora_strength=0.5'], { prompt: 'fox', lora_strength: '0.5' }],
  [['--steps', '9', 'a', '--seed', '1', 'fox'], { prompt: 'a fox', steps: '9', seed: '1' }],
  [['fox', '--cfg', '-1'], { prompt: 'fox', cfg: '-1' }],
  [['fox', '--negative-prompt', ''], { prompt: 'fox', negative_prompt: '' }],
  [['fox', '--steps', '8', '--steps', '9'], { prompt: 'fox', steps: '9' }],
  [['fox', '--preset', 'turbo', '--workflow', workflow.name], { prompt: 'fox', preset: 'turbo' }],
])('%j is understood', (argv, body) => {
  expect(readCommand(argv, workflow, program)).toEqual({
    body: { ...body, workflow: workflow.name },
    output: undefined,
  });
});

test.each<[string[], Workflow, string]>([
  [['fox', '--stesp', '8'], workflow, 'Unknown flag --stesp; npm run generate -- takes --prompt, '],
  [['fox', '-x'], workflow, 'Unknown flag -x; '],
  [['fox', '--steps'], workflow, '--steps needs a value: --steps=VALUE'],
  [['fox', '--steps', '--seed', '1'], workflow, '--steps needs a value'],
  [[], workflow, 'What should the image show? npm run generate -- "a red fox"'],
  [['  '], workflow, 'What should the image show?'],
  [['a fox', '--prompt', 'a hare'], workflow, 'The prompt is there twice'],
  [['a fox'], controlnet, 'flux2_turbo_controlnet needs --image; --help says what it is'],
  [['a fox'], promptless, 'promptless takes no prompt'],
])('%j is refused', (argv, workflow, sentence) => {
  expect(() => readCommand(argv, workflow, programOf(workflow, catalogue.names))).toThrow(sentence);
});

test('the workflow and help are found among unknown flags', () => {
  expect(firstLook(['fox', '--steps', '8', '--workflow', 'x', '-h'])).toEqual({ workflow: 'x', help: true });
  expect(firstLook(['fox'])).toEqual({ workflow: undefined, help: false });
});

test('flags that npm took for its own are not lost in silence', () => {
  const npm = { npm_lifecycle_event: 'generate', npm_config_cache: '/home/me/.npm' };
  expect(() => refuseFlagsKeptByNpm(npm, program, '"a red fox"')).not.toThrow();
  expect(() =>
    refuseFlagsKeptByNpm({ ...npm, npm_config_lora_strength: '1' }, program, '"a red fox"'),
  ).toThrow('npm kept --lora-strength for itself; put -- before');
});

test('help has every input with its type, bounds and default', () => {
  const help = helpOf(programOf(controlnet, catalogue.names));
  const text = help.replaceAll(/\s+/g, ' ');
  for (const name of Object.keys(controlnet.inputs.properties))
    expect(help).toMatch(new RegExp(`^  --${name.replaceAll('_', '-')}\\b`, 'm'));
  expect(text).toMatch(/--steps [^-]*1 to 50, default 25\. /);
  expect(text).toMatch(/--width [^-]*256 to 2048, [^-]*16, default 1024\. /);
  expect(text).toMatch(/--seed [^-]*0 to 2\^64-1\. /);
  expect(text).toMatch(/--image [^-]*required\. /);
  expect(text).toContain('one of euler, ');
  expect(Math.max(...help.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
});
