// Draws graphs out of a ComfyUI's node declarations: whole ones from an output node upwards, and the same with one thing
// broken. What is drawn depends on the seed and the declarations alone.

import * as fc from 'fast-check';
import { type Declared, declaredInputs, DYNAMIC_COMBO } from '../../functions/core/declared-inputs.ts';
import type { Graph, ObjectInfo } from '../../functions/core/object-info.ts';
import { ownCheckOf } from '../../functions/core/preflight/own-checks.ts';
import { takes } from '../../functions/core/preflight/link-types.ts';
import { REPLACED } from '../../functions/core/replaced-nodes.ts';
import { breakOne } from './break.ts';

export interface Drawn {
  /** What was broken; empty: nothing. */
  how: string;
  graph: Graph;
}

/** A file that lies in ComfyUI's input folder. */
export const INPUT_FILE = 'preflight-corpus.png';

const REUSED = 0.4;
const EXACT = 0.8;
const OPTIONAL = 0.15;
/** An autogrow has up to a hundred. */
const GROWN = 0.02;
const LONGEST = 7;

/** Every second one is broken in one place. */
export function drawGraphs(info: ObjectInfo, seed: number, count: number, longest = LONGEST): Drawn[] {
  const catalogue = createCatalogue(info, longest);
  const drawn = fc.gen().map((g): Drawn => {
    const graph = drawGraph(g, catalogue);
    return { how: '', graph };
  });
  const broken = fc.gen().map((g): Drawn => {
    for (;;) {
      const graph = drawGraph(g, catalogue);
      const how = breakOne(g, graph, info);
      if (how !== undefined) return { how, graph };
    }
  });
  const whole = fc.sample(drawn, { seed, numRuns: Math.ceil(count / 2) });
  const rest = fc.sample(broken, { seed: seed + 1, numRuns: Math.floor(count / 2) });
  return [...whole, ...rest];
}

interface Catalogue {
  info: ObjectInfo;
  /** Class → nodes of the shortest chain that satisfies it; absent: none does. */
  cost: Map<string, number>;
  outputs: string[];
  /** Of a chain. */
  longest: number;
  /** Type → classes, and the outputs by which they make it. */
  makers: Map<unknown, [string, number][]>;
}

function createCatalogue(info: ObjectInfo, longest: number): Catalogue {
  const cost = new Map<string, number>();
  const catalogue: Catalogue = { info, cost, outputs: [], longest, makers: new Map() };
  for (let before = -1; before !== cost.size;) {
    before = cost.size;
    catalogue.makers.clear();
    const found = Object.keys(info).flatMap((classType): [string, number][] => {
      const needs = neededOf(catalogue, classType, {});
      return cost.has(classType) || needs === undefined ? [] : [[classType, 1 + needs]];
    });
    for (const [classType, one] of found) cost.set(classType, one);
  }
  catalogue.makers.clear();
  catalogue.outputs = [...cost.keys()].filter(
    (classType) => info[classType]!.output_node === true && cost.get(classType)! < longest,
  );
  return catalogue;
}

/** The most that a required input costs; undefined: one of them cannot be had. */
function neededOf(
  catalogue: Catalogue,
  classType: string,
  given: Record<string, unknown>,
): number | undefined {
  const costs = [...declaredInputs(catalogue.info[classType]!.input, given)].map(([name, declared]) => {
    if (!declared.required) return 0;
    if (isWidget(declared)) return isDrawable(catalogue.info, classType, name, declared) ? 0 : undefined;
    const makers = makersOf(catalogue, declared.type);
    return makers.length === 0 ? 0 : Math.min(...makers.map(([maker]) => catalogue.cost.get(maker)!));
  });
  // A type that a later round finds a maker for is a raw value until then.
  return costs.includes(undefined) ? undefined : Math.max(0, ...(costs as number[]));
}

const WIDGETS = ['INT', 'FLOAT', 'STRING', 'BOOLEAN', 'COMBO', DYNAMIC_COMBO];

function isWidget({ type }: Declared): boolean {
  return (
    Array.isArray(type) ||
    String(type)
      .split(',')
      .some((one) => WIDGETS.includes(one))
  );
}

function choicesOf({ type, extra }: Declared): unknown[] {
  const choices = Array.isArray(type) ? type : extra['options'];
  return Array.isArray(choices) ? (choices as unknown[]) : [];
}

const isFile = (info: ObjectInfo, classType: string, name: string) =>
  ownCheckOf(classType, info)?.needs === name &&
  classType !== 'CustomCombo' &&
  !classType.startsWith('Model');

function isDrawable(info: ObjectInfo, classType: string, name: string, declared: Declared): boolean {
  const isList = Array.isArray(declared.type) || ['COMBO', DYNAMIC_COMBO].includes(String(declared.type));
  return !isList || choicesOf(declared).length > 0 || ownCheckOf(classType, info)?.needs === name;
}

/** Classes that make a type, and the outputs by which they do. */
function makersOf({ info, cost, makers }: Catalogue, wanted: unknown): [string, number][] {
  const known = makers.get(wanted);
  if (known) return known;
  const found = [...cost.keys()].flatMap((classType) =>
    typesOf(info, classType).flatMap((type, index): [string, number][] =>
      takes(wanted, type) ? [[classType, index]] : [],
    ),
  );
  makers.set(wanted, found);
  return found;
}

function typesOf(info: ObjectInfo, classType: string): unknown[] {
  const types: unknown = info[classType]!.output;
  return Array.isArray(types) ? (types as unknown[]) : [];
}

function drawGraph(g: fc.GeneratorValue, catalogue: Catalogue): Graph {
  const graph: Graph = {};
  const outputs = g(fc.integer, { min: 1, max: 2 });
  for (let each = 0; each < outputs; each += 1)
    drawNode(g, catalogue, graph, g(fc.constantFrom, ...catalogue.outputs), catalogue.longest);
  return graph;
}

const chance = (g: fc.GeneratorValue, share: number) => g(fc.integer, { min: 0, max: 99 }) < share * 100;

/** @returns its id */
function drawNode(
  g: fc.GeneratorValue,
  catalogue: Catalogue,
  graph: Graph,
  classType: string,
  left: number,
): string {
  const { info } = catalogue;
  const inputs: Record<string, unknown> = {};
  const declarations = info[classType]!.input ?? {};
  // A key comes before what it brings along, and an autogrow before what is drawn of it.
  for (let round = 0; round < 3; round += 1)
    for (const [name, declared] of declaredInputs(declarations, inputs)) {
      if (Object.hasOwn(inputs, name)) continue;
      if (!declared.required && (round > 0 || !chance(g, name.includes('.') ? GROWN : OPTIONAL))) continue;
      inputs[name] = drawInput(g, catalogue, graph, classType, name, declared, left);
      if (inputs[name] === undefined) delete inputs[name];
    }
  const number = Object.keys(graph).length + 1;
  const id = chance(g, 0.2) ? `${number}:${g(fc.integer, { min: 1, max: 99 })}` : `${number}`;
  graph[id] = { class_type: classType, inputs, ...(chance(g, 0.1) && { _meta: { title: 'A title' } }) };
  return id;
}

function drawInput(
  g: fc.GeneratorValue,
  catalogue: Catalogue,
  graph: Graph,
  classType: string,
  name: string,
  declared: Declared,
  left: number,
): unknown {
  if (isWidget(declared) || isFile(catalogue.info, classType, name))
    return drawWidget(g, catalogue.info, classType, name, declared);
  const there = Object.entries(graph).flatMap(([id, node]) =>
    typesOf(catalogue.info, node.class_type).flatMap((type, index) =>
      takes(declared.type, type) ? [[id, index]] : [],
    ),
  );
  if (there.length > 0 && chance(g, REUSED)) return g(fc.constantFrom, ...there);
  const all = makersOf(catalogue, declared.type);
  const within = all.filter(([maker]) => catalogue.cost.get(maker)! < left);
  if (within.length === 0) {
    if (there.length > 0) return g(fc.constantFrom, ...there);
    // Without a maker ComfyUI takes any value.
    return declared.required ? { raw: 1 } : undefined;
  }
  // Switches and lists make every type: not each link should come from one.
  const exact = within.filter(([one, output]) => typesOf(catalogue.info, one)[output] === declared.type);
  const [maker, index] = g(fc.constantFrom, ...(exact.length > 0 && chance(g, EXACT) ? exact : within));
  return [drawNode(g, catalogue, graph, maker, left - 1), index];
}

function drawWidget(
  g: fc.GeneratorValue,
  info: ObjectInfo,
  classType: string,
  name: string,
  declared: Declared,
): unknown {
  if (isFile(info, classType, name))
    return g(fc.constantFrom, INPUT_FILE, `${INPUT_FILE} [input]`, `./${INPUT_FILE}`, `a/../${INPUT_FILE}`);
  const types = Array.isArray(declared.type) ? ['COMBO'] : String(declared.type).split(',');
  const type = types.find((one) => WIDGETS.includes(one));
  const { min, max } = declared.extra as { min?: number | bigint; max?: number | bigint };
  const low = Math.ceil(Number(min ?? -100_000));
  const high = Math.floor(Math.min(Number(max ?? 100_000), Number.MAX_SAFE_INTEGER));
  switch (type) {
    case 'INT': {
      const value = g(fc.integer, { min: Math.min(low, high), max: high });
      return types.length === 1 && chance(g, 0.1) ? g(fc.constantFrom, `${value}`, ` ${value} `) : value;
    }
    case 'FLOAT': {
      const [least, most] = [Number(min ?? -1000), Number(max ?? 1000)];
      const value = least + g(fc.integer, { min: 0, max: 100 }) * ((most - least) / 100);
      const within = Math.min(most, Math.max(least, Number(value.toPrecision(6))));
      return types.length === 1 && chance(g, 0.1) ? `${within}` : within;
    }
    case 'STRING':
      return g(fc.constantFrom, '', 'a red fox', 'ümläut "quoted"', "it's", 5, true);
    case 'BOOLEAN':
      return g(fc.constantFrom, true, false, 1, 'false');
    case DYNAMIC_COMBO: {
      const keys = choicesOf(declared).map((option) => (option as { key: unknown }).key);
      return g(fc.constantFrom, ...keys);
    }
    default: {
      const choices = choicesOf(declared);
      return choices.length === 0 ? 'none' : g(fc.constantFrom, ...choices);
    }
  }
}

/** The classes that a set of graphs names, without what no check reads. */
export function declarationsFor(graphs: readonly Graph[], info: ObjectInfo): ObjectInfo {
  const classes = graphs.flatMap((graph) => Object.values(graph).map((node) => node.class_type));
  const named = new Set(classes.flatMap((one) => [one, REPLACED[one]?.by ?? one]));
  const kept = Object.keys(info).filter((classType) => named.has(classType));
  return Object.fromEntries(kept.map((classType) => [classType, trimmed(info[classType]!)]));
}

/** What the preflight reads of an input's declaration. */
const READ = ['min', 'max', 'multiselect', 'image_upload', 'audio_upload', 'video_upload', 'file_upload'];

type Inputs = Record<string, Record<string, unknown>>;

function trimmed({ input, output, output_node: isOutput, ...more }: ObjectInfo[string]): ObjectInfo[string] {
  return {
    input: trimmedInputs(input),
    output,
    ...(isOutput === true && { output_node: true }),
    ...('output_matchtypes' in more && { output_matchtypes: null }),
  };
}

function trimmedInputs(input: Inputs = {}): Inputs {
  const categories = Object.entries(input).filter(([category]) => category !== 'hidden');
  return Object.fromEntries(
    categories.map(([category, inputs]) => [
      category,
      Object.fromEntries(Object.entries(inputs).map(([name, value]) => [name, trimmedInput(value)])),
    ]),
  );
}

function trimmedInput(value: unknown): unknown {
  const [type, extra = {}] = value as [unknown, Record<string, unknown>?];
  const kept = Object.entries(extra).filter(([key]) => READ.includes(key));
  const options = extra['options'] as unknown[] | undefined;
  const template = extra['template'] as { input: Inputs } | undefined;
  return [
    type,
    {
      ...Object.fromEntries(kept),
      ...(options && { options: options.map((one) => (type === DYNAMIC_COMBO ? trimmedOption(one) : one)) }),
      ...(template && { template: { ...template, input: trimmedInputs(template.input) } }),
    },
  ];
}

function trimmedOption(option: unknown): unknown {
  const { key, inputs } = option as { key: unknown; inputs: Inputs };
  return { key, inputs: trimmedInputs(inputs) };
}
