// The widgets of a node: what a person sets on it, in the order in which ComfyUI's page makes them, since a canvas file holds
// their values by that order. Source: how the page 1.49.6 makes a node from its declaration; tested against its own results.

import { DYNAMIC_COMBO } from '../declared-inputs.ts';
import type { ObjectInfo } from '../object-info.ts';
import { isRecord, recordOf } from '../json-value.ts';
import { type CanvasNode, listOf } from './canvas.ts';

export interface Widget {
  /** As ComfyUI's page would send it. */
  value: unknown;
  type: unknown;
  extra: Record<string, unknown>;
}

export type Widgets = Map<string, Widget>;

/** Types whose values a person sets; all others come by links. Those of the second line are set by parts of the page. */
const SET = [
  'INT',
  'FLOAT',
  'BOOLEAN',
  'STRING',
  'COMBO',
  'COLOR',
  'COLORS',
  'TEXTAREA',
  'MARKDOWN',
  'CURVE',
  'RANGE',
];
const DRAWN = ['BOUNDING_BOX', 'BOUNDING_BOXES', 'PAINTER', 'COMPOSITOR', 'VIDEO_EDIT', 'CHART', 'GALLERIA'];
const WIDGETS = new Set([
  ...SET,
  ...DRAWN,
  DYNAMIC_COMBO,
  'LOAD_3D',
  'LOAD_3D_ADVANCED',
  'PREVIEW_3D',
  'WEBCAM',
]);

/** Two pictures beside each other: required, and in no file. */
const NOT_SAVED = 'IMAGECOMPARE';

/** Beside a number or a choice: what the page does with it after a run. */
const CONTROLS = ['fixed', 'increment', 'decrement', 'randomize', 'increment-wrap'];
/** The page's own fields beside a box: x, y, width, height. */
const BOX_FIELDS = 4;

/** Gives the next widget its value from the file; undefined: the file has none. */
interface Values {
  take(name: string): unknown;
  /** Passes over values of the page's own widgets. */
  skip(count: number): void;
}

export function widgetsOf(node: CanvasNode, declared: ObjectInfo[string] | undefined): Widgets {
  if (!declared) return undeclared(node);
  const widgets: Widgets = new Map();
  const forced = forcedValues(node, declared);
  const values = valuesOf(node, forced);
  walk(widgets, declared.input, values, '', declared.input_order);
  if (node.type === 'CustomCombo') addOptions(widgets, values);
  return widgets;
}

/** The page adds its options to this class's fields: the node gives out which of them is chosen. */
function addOptions(widgets: Widgets, values: Values): void {
  const add = (name: string) => {
    const value = values.take(name);
    if (value !== undefined) widgets.set(name, { value, type: 'STRING', extra: {} });
    return value !== undefined;
  };
  add('index');
  for (let number = 1; add(`option${number}`);) number += 1;
}

/** Files of before a value was forced to come by a link still hold it. */
function forcedValues(
  { values = [] }: CanvasNode,
  { input, input_order: order }: ObjectInfo[string],
): number[] {
  const places = inOrder(input, order).flatMap(({ type, extra, name }) => {
    if (!isWidget(type, extra) && !extra['forceInput']) return [];
    const own = Boolean(extra['forceInput']);
    return hasControl(type, extra, name, true) ? [own, false] : [own];
  });
  if (places.length !== values.length) return [];
  return places.flatMap((isForced, index) => (isForced ? [index] : []));
}

function valuesOf({ values = [], named }: CanvasNode, without: number[]): Values {
  if (named)
    return { take: (name) => (Object.hasOwn(named, name) ? named[name] : undefined), skip: () => {} };
  const left = values.filter((_, index) => !without.includes(index));
  let next = 0;
  return {
    take: () => left[next++],
    skip(count) {
      next += count;
    },
  };
}

interface Input {
  name: string;
  type: unknown;
  extra: Record<string, unknown>;
}

/** As `input_order` has them, required ones first. */
function inOrder(input: unknown, order?: { required?: string[]; optional?: string[] }): Input[] {
  return (['required', 'optional'] as const).flatMap((category) => {
    const fields = recordOf(recordOf(input)[category]);
    const names = [...new Set([...(order?.[category] ?? []), ...Object.keys(fields)])];
    return names.flatMap((name) => {
      const declared = Object.hasOwn(fields, name) ? fields[name] : undefined;
      return Array.isArray(declared)
        ? [{ name, type: declared[0] as unknown, extra: recordOf(declared[1]) }]
        : [];
    });
  });
}

function isWidget(type: unknown, extra: Record<string, unknown>): boolean {
  return (Array.isArray(type) || WIDGETS.has(String(extra['widgetType'] ?? type))) && !extra['forceInput'];
}

function walk(
  widgets: Widgets,
  input: unknown,
  values: Values,
  prefix: string,
  order?: { required?: string[]; optional?: string[] },
): void {
  for (const { name, type, extra } of inOrder(input, order)) {
    const id = prefix + name;
    if (type === NOT_SAVED) widgets.set(id, { value: ['', ''], type, extra });
    if (!isWidget(type, extra)) continue;
    const taken = values.take(id);
    const value = taken === undefined ? defaultOf(type, extra) : taken;
    widgets.set(id, { value, type, extra });
    if (type === DYNAMIC_COMBO) {
      const option = listOf(extra['options']).find((one) => recordOf(one)['key'] === value);
      walk(widgets, recordOf(option)['inputs'], values, `${id}.`);
    }
    if (type === 'BOUNDING_BOX') values.skip(BOX_FIELDS);
    if (hasControl(type, extra, id)) values.skip(isChoice(type) ? 2 : 1);
  }
}

function isChoice(type: unknown): boolean {
  return Array.isArray(type) || type === 'COMBO';
}

/** @param declaredOnly not by the name */
function hasControl(
  type: unknown,
  extra: Record<string, unknown>,
  name: string,
  declaredOnly = false,
): boolean {
  const declared = extra['control_after_generate'];
  if (type === 'INT') return Boolean(declared ?? (!declaredOnly && ['seed', 'noise_seed'].includes(name)));
  return Boolean(declared) && (type === 'FLOAT' || isChoice(type));
}

function defaultOf(type: unknown, extra: Record<string, unknown>): unknown {
  const { default: own, options } = extra;
  if (isChoice(type) || type === DYNAMIC_COMBO) {
    const [first] = Array.isArray(type) ? (type as unknown[]) : listOf(options);
    return own ?? (isRecord(first) ? first['key'] : first);
  }
  if (own !== undefined) return own;
  if (type === 'INT' || type === 'FLOAT') return 0;
  if (type === 'BOOLEAN') return false;
  if (type === 'COLOR') return '#000000';
  return type === 'STRING' || type === 'TEXTAREA' || type === 'MARKDOWN' ? '' : undefined;
}

/**
 * Of a class that no ComfyUI has declared: newer files have an input for each widget, in their order. A control beside a seed
 * is known by its value.
 */
function undeclared({ inputs, values = [], named }: CanvasNode): Widgets {
  const widgets: Widgets = new Map();
  let next = 0;
  for (const { widget: name, type } of inputs) {
    if (name === undefined) continue;
    const value = named ? named[name] : values[next];
    next += 1;
    if (value !== undefined) widgets.set(name, { value, type, extra: {} });
    if (typeof value === 'number' && CONTROLS.includes(String(values[next]))) next += 1;
  }
  for (const [name, value] of Object.entries(named ?? {}))
    if (!widgets.has(name)) widgets.set(name, { value, type: '*', extra: {} });
  return widgets;
}
