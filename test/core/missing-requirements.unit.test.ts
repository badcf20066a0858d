// The missing requirements of a waiting job, and the hosts that have them. Source: docs/reports.md.

import { expect, test } from 'vitest';
import { missingOf, neededOf } from '../../functions/core/missing-requirements.ts';
import type { ObjectInfo } from '../../functions/core/object-info.ts';

const graph = {
  '1': { class_type: 'Loader', inputs: { file: 'a.safetensors' } },
  '2': { class_type: 'Rare', inputs: { x: ['1', 0] } },
};
const loads = (...files: string[]): ObjectInfo => ({ Loader: { input: { required: { file: [files] } } } });
const rare: ObjectInfo = { Rare: {} };

test('no host has it', () => {
  const hosts = [
    { hostId: 'one', nodes: loads('b.safetensors') },
    { hostId: 'two', nodes: loads() },
  ];
  const missing = missingOf(graph, hosts);
  expect(missing).toEqual([
    { node: '1', class_type: 'Loader', field: 'file', value: 'a.safetensors', hosts: [] },
    { node: '2', class_type: 'Rare', field: null, value: null, hosts: [] },
  ]);
  expect(neededOf(missing)).toBe(
    'a gpu host with a.safetensors for node 1 (no host has it), the node class Rare for node 2 (no host has it)',
  );
});

test('each is somewhere, and no host has all', () => {
  const hosts = [
    { hostId: 'one', nodes: loads('a.safetensors') },
    { hostId: 'two', nodes: { ...loads(), ...rare } },
  ];
  const missing = missingOf(graph, hosts);
  expect(missing).toMatchObject([
    { node: '1', value: 'a.safetensors', hosts: ['one'] },
    { node: '2', value: null, hosts: ['two'] },
  ]);
  expect(neededOf(missing)).toBe(
    'one gpu host with a.safetensors for node 1 (host one has it), the node class Rare for node 2 (host two has it)',
  );
});

test('a host without a class has no file of it', () => {
  const hosts = [
    { hostId: 'one', nodes: { ...loads('b.safetensors'), ...rare } },
    { hostId: 'two', nodes: rare },
  ];
  expect(missingOf(graph, hosts)).toMatchObject([
    { value: 'a.safetensors', hosts: [] },
    { field: null, hosts: ['one'] },
  ]);
});

test('a host that has all of it misses nothing, and is named for what others miss', () => {
  const hosts = [
    { hostId: 'one', nodes: loads('a.safetensors') },
    { hostId: 'two', nodes: { ...loads('a.safetensors'), ...rare } },
  ];
  expect(missingOf(graph, hosts)).toEqual([
    { node: '2', class_type: 'Rare', field: null, value: null, hosts: ['two'] },
  ]);
  expect(neededOf([])).toBeUndefined();
});

test('a model in what a chosen key brings along is looked for too', () => {
  const options = [{ key: 'sharp', inputs: { required: { model: ['COMBO', { options: ['s.pth'] }] } } }];
  const nodes = {
    Scale: { input: { required: { how: ['COMFY_DYNAMICCOMBO_V3', { options }] } } },
  } as ObjectInfo;
  const of = (model: string) =>
    missingOf({ '1': { class_type: 'Scale', inputs: { how: 'sharp', 'how.model': model } } }, [
      { hostId: 'one', nodes },
    ]);
  expect(of('s.pth')).toEqual([]);
  expect(of('t.pth')).toMatchObject([{ node: '1', field: 'how.model', value: 't.pth', hosts: [] }]);
});
