// Breaks a graph in one place, each way as a person or a program does it. Some ways ComfyUI accepts.

import * as fc from 'fast-check';
import { type Declared, declaredInputs, DYNAMIC_COMBO } from '../../functions/core/declared-inputs.ts';
import type { Graph, ObjectInfo } from '../../functions/core/object-info.ts';

interface Place {
  id: string;
  name: string;
  declared: Declared;
  inputs: Record<string, unknown>;
}

type Break = [
  how: string,
  fits: (place: Place) => boolean,
  values: readonly unknown[] | ((place: Place) => unknown),
];

const isLink = ({ inputs, name }: Place) => Array.isArray(inputs[name]);
const isType =
  (...types: string[]) =>
  (place: Place) =>
    !isLink(place) && types.includes(String(place.declared.type));
const isList = (place: Place) =>
  !isLink(place) && (Array.isArray(place.declared.type) || place.declared.type === 'COMBO');
const has = (field: string) => (place: Place) =>
  isType('INT', 'FLOAT')(place) && field in place.declared.extra;
const given = ({ inputs, name }: Place) => inputs[name];

const VALUES: Break[] = [
  ['a whole number that is none', isType('INT'), ['x', '1.5', null, {}, '', { __value__: [1] }, '1_0_']],
  ['a whole number in other words', isType('INT'), [1.9, true, ' 7 ', '1_0', { __value__: 3 }]],
  ['a number that is none', isType('FLOAT'), ['x', null, {}, '1,5', { __value__: [] }]],
  ['a number in other words', isType('FLOAT'), ['1e0', true, ' .5 ', { __value__: '1.5' }]],
  ['a text that is none', isType('STRING'), [null, {}, { __value__: [1, 2] }, 1.5]],
  ['below the least', has('min'), ({ declared }) => Number(declared.extra['min']) - 1],
  ['above the most', has('max'), ({ declared }) => Number(declared.extra['max']) * 2 + 1],
  [
    'not in the list',
    isList,
    ['not there', '', null, 5, true, { __value__: ['a', 'b'] }, { x: 1 }, 'it\'s "x"\n'],
  ],
  ['another key', isType(DYNAMIC_COMBO), ['not there', null, 3]],
  ['a link where a value is', (place) => !isLink(place), ['1', 0]],
  ['a link to nothing', isLink, ['nowhere', 0]],
  ['a link by a number', isLink, (place) => [1, (given(place) as unknown[])[1]]],
  ['a link to a list', isLink, [['1'], 0]],
  ['a link to null', isLink, [null, 0]],
  ['an output too many', isLink, (place) => [(given(place) as unknown[])[0], 99]],
  ['an output from the end', isLink, (place) => [(given(place) as unknown[])[0], -1]],
  ['an output before the first', isLink, (place) => [(given(place) as unknown[])[0], -99]],
  ['an output by its name', isLink, (place) => [(given(place) as unknown[])[0], 'IMAGE']],
  ['an output by a fraction', isLink, (place) => [(given(place) as unknown[])[0], 0.5]],
  ['an output that is false', isLink, (place) => [(given(place) as unknown[])[0], false]],
  ['a link of three', isLink, (place) => [...(given(place) as unknown[]), 0]],
  ['an empty link', isLink, () => []],
  ['a value where a link is', isLink, ['x', 5, null, {}, true]],
  [
    'a file outside',
    ({ declared }) => isUpload(declared),
    ['../../x.png', '/etc/passwd', '..', '../x.png [output]'],
  ],
  [
    'a file that is not there',
    ({ declared }) => isUpload(declared),
    ['no.png', 'no.png [output]', 'a\u0000b', 'x[temp]'],
  ],
  ['a file that is no text', ({ declared }) => isUpload(declared), [null, 5, {}]],
];
/** Values of these are alternatives; other lists are one link. */
const ONE_LINK = /^a link (where|to)/;

const isUpload = ({ extra }: Declared) =>
  ['image_upload', 'audio_upload', 'video_upload', 'file_upload'].some((flag) => Boolean(extra[flag]));

/** @returns what was done; undefined: nothing fits */
export function breakOne(g: fc.GeneratorValue, graph: Graph, info: ObjectInfo): string | undefined {
  const places = Object.entries(graph).flatMap(([id, { class_type: classType, inputs }]) =>
    [...declaredInputs(info[classType]!.input, inputs)].flatMap(([name, declared]): Place[] =>
      Object.hasOwn(inputs, name) ? [{ id, name, declared, inputs }] : [],
    ),
  );
  const fitting = VALUES.map(([how, fits, values]) => ({
    how,
    values,
    places: places.filter((one) => fits(one)),
  }));
  const ways = fitting.filter((one) => one.places.length > 0);
  const way = ways[g(fc.integer, { min: 0, max: ways.length + 6 })];
  if (!way)
    return g(fc.integer, { min: 0, max: 3 }) === 0 ? removeInput(g, places) : breakNode(g, graph, info);
  const place = g(fc.constantFrom, ...way.places);
  place.inputs[place.name] = valueOf(g, way, place);
  return way.how;
}

function valueOf(
  g: fc.GeneratorValue,
  { how, values }: { how: string; values: Break[2] },
  place: Place,
): unknown {
  if (typeof values === 'function') return values(place);
  return ONE_LINK.test(how) ? [...values] : g(fc.constantFrom, ...values);
}

function removeInput(g: fc.GeneratorValue, places: Place[]): string | undefined {
  const required = places.filter(({ declared }) => declared.required);
  if (required.length === 0) return undefined;
  const { inputs, name } = g(fc.constantFrom, ...required);
  delete inputs[name];
  return 'an input is missing';
}

const OLD = [
  'T2IAdapterLoader',
  'SDV_img2vid_Conditioning',
  'ConditioningAverage ',
  'Load3DAnimation',
  'Preview3DAnimation',
];

function breakNode(g: fc.GeneratorValue, graph: Graph, info: ObjectInfo): string | undefined {
  const ids = Object.keys(graph);
  const id = g(fc.constantFrom, ...ids);
  const node = graph[id]!;
  const outputs = ids.filter((one) => info[graph[one]!.class_type]!.output_node === true);
  switch (g(fc.integer, { min: 0, max: 5 })) {
    case 0:
      node.class_type = g(fc.constantFrom, 'NotThere', '', 'saveimage', `${node.class_type} `, 'constructor');
      return 'a class that is not there';
    case 1:
      delete (node as Partial<typeof node>).class_type;
      return 'no class';
    case 2:
      delete (node as Partial<typeof node>).inputs;
      return 'no inputs';
    case 3:
      for (const one of outputs) delete graph[one];
      return 'no output';
    case 4: {
      const links = ids.flatMap((one) =>
        Object.entries(graph[one]!.inputs).flatMap(([name, value]) =>
          Array.isArray(value) ? [{ one, name }] : [],
        ),
      );
      if (links.length === 0) return undefined;
      const { one, name } = g(fc.constantFrom, ...links);
      graph[one]!.inputs[name] = [one, 0];
      return 'a link to itself';
    }
    default:
      node.class_type = g(fc.constantFrom, ...OLD);
      if (g(fc.boolean)) node._meta ??= {};
      return 'an old class';
  }
}
