// Template files: what is shipped loads, and what does not fit is refused with the file and the field.

import { describe, expect, it } from 'vitest';
import { missingRequirements, optionsOf } from '../../functions/core/object-info.ts';
import { boundsOf, parseTarget, parseTemplate, targetsOf } from '../../functions/core/template.ts';
import { files, GRAPH, INFO, refusalOf, SHIPPED, shipped, small } from './templates.ts';

describe.each(SHIPPED)('%s', (name) => {
  const template = shipped(name);

  it('loads, and its graph stays as it was exported', () => {
    expect(template.graph).toEqual(files(name).graph);
    expect(template.name).toBe(name);
  });

  it('asks for nodes, fields and values that a ComfyUI of 0.8 has', () => {
    expect(missingRequirements(template.graph, INFO)).toEqual([]);
  });

  it('has defaults and bounds that its nodes take', () => {
    for (const spec of Object.values(template.inputs))
      for (const { node, field } of targetsOf(spec)) {
        const classType = template.graph[node]!.class_type;
        const declared = INFO[classType]?.input?.required?.[field] as [
          unknown,
          { min?: number; max?: number }?,
        ];
        expect(declared, `${classType}.${field}`).toBeDefined();
        const { minimum, maximum } = boundsOf(spec);
        const [, { min, max } = {}] = declared;
        expect(minimum ?? min ?? 0).toBeGreaterThanOrEqual(min ?? -Infinity);
        expect(maximum ?? max ?? 0).toBeLessThanOrEqual(max ?? Infinity);
        const options = optionsOf(INFO, classType, field) ?? [spec.default];
        expect(spec.type === 'image' || options.includes(spec.default as string)).toBe(true);
      }
  });

  it('takes everything that the guide names', () => {
    const guide = ['prompt', 'negative_prompt', 'steps', 'cfg', 'width', 'height', 'seed', 'lora_strength'];
    expect(Object.keys(template.inputs)).toEqual(expect.arrayContaining([...guide, 'sampler', 'scheduler']));
  });
});

const steps = { type: 'integer', default: 8, to: '2.steps' };

describe('an inputs file is refused', () => {
  it.each<[string, Record<string, unknown>, string]>([
    ['an unknown node', { ...steps, to: '9.steps' }, 'input "steps": "9.steps": the graph has no node "9"'],
    [
      'an unknown field',
      { ...steps, to: '2.stepz' },
      'input "steps": "2.stepz": node "2" (KSampler) has no field "stepz"',
    ],
    ['what every object has', { ...steps, to: '2.toString' }, 'node "2" (KSampler) has no field "toString"'],
    [
      'the second of two',
      { ...steps, to: ['2.steps', '8.x'] },
      'input "steps": "8.x": the graph has no node "8"',
    ],
    ['a link', { ...steps, to: '3.images' }, 'input "steps": "3.images" is a link to another node'],
    [
      'a default below its bounds',
      { ...steps, minimum: 9 },
      'input "steps": Invalid field: steps must be a whole number of at least 9',
    ],
    ['a default above its bounds', { ...steps, maximum: 7 }, 'steps must be a whole number of at most 7'],
    [
      'a default that the table cannot keep',
      { ...steps, type: 'number', default: 1e300 },
      'input "steps": Invalid field: steps must be 0 or a number from 1e-125',
    ],
    ['a default of another type', { ...steps, default: 'few' }, 'steps must be a whole number'],
    [
      'no default',
      { type: 'integer', to: '2.steps' },
      'input "steps": needs a "default" or "required": true',
    ],
    ['an unknown key', { ...steps, minimun: 1 }, 'inputs.steps: Unrecognized key: "minimun"'],
    ['an unknown type', { ...steps, type: 'int' }, 'inputs.steps.type: Invalid option'],
    ['a choice without a list', { type: 'choice', default: 'a' }, 'input "steps": a choice needs a "to"'],
    [
      'an effect on nothing',
      { ...steps, when_set: { defaults: { cgf: 2 } } },
      'input "steps": there is no input "cgf"',
    ],
    [
      'an effect out of bounds',
      { ...steps, maximum: 9, when_set: { defaults: { steps: 10 } } },
      'steps must be a whole number of at most 9',
    ],
    [
      'a bound by nothing',
      { ...steps, at_most: 'stepz' },
      'input "steps": "at_most": there is no input "stepz" that is a number',
    ],
    [
      'a bound on a text',
      { type: 'string', default: '', to: '2.steps', at_most: 'steps' },
      'input "steps": "at_most" is for numbers',
    ],
  ])('with %s', (_, spec, what) => {
    const message = refusalOf(() => small({ steps: spec }));
    expect(message).toContain(`workflows/small.inputs.json: `);
    expect(message).toContain(what);
  });

  it.each(['preset', 'workflow', 'metadata', 'priority', 'constructor'])('with an input named %s', (name) => {
    expect(refusalOf(() => small({ [name]: steps }))).toContain(
      `input "${name}": is a name that the API keeps`,
    );
  });

  it.each(['Steps', '9lives', 'two words', '_x'])('with an input named %j, which is no name', (name) => {
    expect(refusalOf(() => small({ [name]: steps }))).toContain('workflows/small.inputs.json: inputs.');
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['an unknown input', { stepz: 4 }, 'preset "fast": there is no input "stepz"'],
    ['what every object has', { constructor: 4 }, 'preset "fast": there is no input "constructor"'],
    [
      'a value out of bounds',
      { steps: 51 },
      'preset "fast": Invalid field: steps must be a whole number of at most 50',
    ],
    ['a list', { steps: [4] }, 'presets.fast.steps'],
  ])('with a preset of %s', (_, fast, what) => {
    const message = refusalOf(() => small({ steps: { ...steps, maximum: 50 } }, { presets: { fast } }));
    expect(message).toContain('workflows/small.inputs.json: ');
    expect(message).toContain(what);
  });

  it.each([undefined, null, [], 'text', {}, { title: 'T' }, { title: 'T', inputs: {}, more: 1 }])(
    'when it is %j',
    (file) => {
      expect(refusalOf(() => parseTemplate('small', GRAPH, file))).toContain('workflows/small.inputs.json: ');
    },
  );

  it.each([0, -1, 1.5, 3601, '60'])('with a deadline of %j seconds', (deadline) => {
    expect(refusalOf(() => small({}, { deadline_seconds: deadline }))).toContain('deadline_seconds');
  });
});

describe('a bound that another input gives', () => {
  const pair = (low: number, high: number) => ({
    low: { type: 'number', default: low, to: '2.steps', at_most: 'high' },
    high: { type: 'number', default: high, to: [] },
  });

  it('must hold for the defaults', () => {
    expect(small(pair(1, 1)).inputs['low']).toMatchObject({ at_most: 'high' });
    expect(refusalOf(() => small(pair(2, 1)))).toMatch(
      /^workflows\/small\.inputs\.json: .*defaults.*low must be at most high \(1\)$/,
    );
  });

  it('must hold for each preset with the defaults', () => {
    expect(small(pair(1, 2), { presets: { low: { low: 2 } } }).presets).toEqual({ low: { low: 2 } });
    expect(refusalOf(() => small(pair(1, 2), { presets: { strong: { high: 0.5 } } }))).toMatch(
      /preset "strong": .*low must be at most high \(0\.5\)/,
    );
  });

  it('must be a number, neither a text nor a seed', () => {
    for (const type of ['string', 'seed'])
      expect(
        refusalOf(() =>
          small({ ...pair(1, 2), high: { type, default: type === 'seed' ? 3 : '3', to: '2.steps' } }),
        ),
      ).toContain('there is no input "high" that is a number');
  });
});

describe('a graph is refused', () => {
  it.each([
    [{ nodes: [], links: [] }, 'is in ComfyUI\'s page format; export it with "Export (API)"'],
    [[], 'is no API export'],
    ['text', 'is no API export'],
    [null, 'is no API export'],
    [{ '1': { inputs: {} } }, 'is no API export: 1.class_type'],
    [{ '1': { class_type: 'X' } }, 'is no API export: 1.inputs'],
  ])('when it is %j', (graph, what) => {
    const message = refusalOf(() => parseTemplate('own', graph, { title: 'T', inputs: {} }));
    expect(message).toContain('workflows/own.json: ');
    expect(message).toContain(what);
  });
});

it('a field may have dots of its own', () => {
  expect(parseTarget('2.dotted.field')).toEqual({ node: '2', field: 'dotted.field' });
  expect(small({ steps: { ...steps, to: '2.dotted.field' } }).inputs).toHaveProperty('steps');
});

describe('a graph', () => {
  // The graph, its node and the node's inputs are three levels.
  const nested = (levels: number) => {
    let width: unknown = 1;
    for (let level = 3; level < levels; level++) width = { width };
    return parseTemplate(
      'deep',
      { '1': { class_type: 'EmptyImage', inputs: { width } } },
      { title: 'Deep', inputs: {} },
    );
  };

  it('may be nested 100 levels', () => {
    expect(nested(100).name).toBe('deep');
  });

  it.each([101, 20_000])('of %d levels is refused: no copy of it could be made', (levels) => {
    expect(() => nested(levels)).toThrow('workflows/deep.json: is nested deeper than 100 levels');
  });
});
