// Owns the proof that the comparison with the recordings can fail: every change to a recording is noticed.
import { expect, test } from 'vitest';
import { differences } from './compare.ts';
import { recordingsOf } from './traces.ts';

const runs = ['success', 'success-cached', 'interrupted', 'node-error', 'partly-refused', 'refused-type'];

/** Every way to change one thing in it: a key or an item gone or new, a value of another type. */
function* changed(value: unknown): Generator {
  if (Array.isArray(value)) {
    yield [...value, 'new'];
    for (const [index, item] of value.entries()) {
      yield value.toSpliced(index, 1);
      for (const other of changed(item)) yield value.with(index, other);
    }
  } else if (typeof value === 'object' && value !== null) {
    yield { ...value, new: 1 };
    for (const [key, inner] of Object.entries(value)) {
      yield Object.fromEntries(Object.entries(value).filter(([name]) => name !== key));
      for (const other of changed(inner)) yield { ...value, [key]: other };
    }
  } else yield { was: value };
}

/** A stack of Python's lines is compared by type only; its length is the machine's. */
const withoutTraceback = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (key, inner: unknown) => (key === 'traceback' ? undefined : inner)));

test.each(runs)('whatever is changed in %s is noticed', (name) => {
  const { answer, events, history } = recordingsOf('0.8').run(name);
  const few = events.filter(([, event]) => 'type' in event && event.type !== 'progress_state');
  for (const part of [answer, few.map(([, event]) => event), history].map(withoutTraceback)) {
    expect(differences(part, part)).toEqual([]);
    const changes = [...changed(part)];
    expect(changes.length).toBeGreaterThan(0);
    expect(changes.filter((other) => differences(part, other).length === 0)).toEqual([]);
  }
});

test('another value is noticed, but for times', () => {
  const one = { node: '1', timestamp: 1, list: ['a', 'b'] };
  expect(differences(one, { ...one, timestamp: 2 })).toEqual([]);
  expect(differences(one, { ...one, timestamp: '2' })).toHaveLength(1);
  expect(differences(one, { ...one, node: '2' })).toHaveLength(1);
  expect(differences(one, { ...one, list: ['b', 'a'] })).toHaveLength(2);
});

test('what came from a Python set may come in another order, but not with other members', () => {
  expect(differences({ executed: ['7', '4'] }, { executed: ['4', '7'] })).toEqual([]);
  expect(differences({ executed: ['7', '4'] }, { executed: ['4', '8'] })).toHaveLength(1);
});

test.each(['0.8', '0.33'] as const)('the recordings of %s are all there', (version) => {
  expect(recordingsOf(version).refusals().length).toBeGreaterThan(10);
  expect(recordingsOf(version).calls('queue').length).toBeGreaterThan(15);
});
