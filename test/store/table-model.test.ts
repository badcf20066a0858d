// Any writes in any order: what an engine answers, and what it stores, is what a map in memory with the plainest of rules
// says. The same sequences run on both engines, so they agree with each other too.

import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Attributes, Condition, Range, Update } from '../../functions/store/engine.ts';
import { jobsTable } from '../../functions/store/tables.ts';
import { type EmbeddedStore, startStore, type TestStore } from '../support/store.ts';
import { checkFile } from './embedded/check.ts';

let store: TestStore;
beforeAll(async () => {
  store = await startStore();
});
afterAll(() => store.close());

// What goes in. Numbers that a decimal and a double have alike; texts in which bytes, UTF-16 and lengths disagree, which
// dynalite orders by bytes in an index alone: conditions have the plain ones.

const PLAIN = ['a', 'b', 'aa', 'a,b', '10', '9', 'Z'];
const ORDERS = [
  ...PLAIN,
  'a#1',
  '~',
  'é',
  '\uffee',
  '\u{1f98a}',
  'a\u{1f98a}',
  'a\uffee',
  'x'.repeat(70),
  `${'x'.repeat(70)}\u{1f98a}`,
];
const NUMBERS = [-1, 0, 0.5, 9, 10, 1_764_412_345_678];
const number = fc.constantFrom(...NUMBERS);
const plain = fc.constantFrom(...PLAIN);
const scalar = fc.oneof(number, plain, fc.boolean(), fc.constant(null));
const value = fc.oneof(scalar, fc.record({ a: scalar, b: fc.array(scalar, { maxLength: 2 }) }));

const PARTITIONS = ['p', 'p,a', 'pp'];
/** What an attribute may be, so that no write is refused by the type of a key. */
const SHAPES: Record<string, fc.Arbitrary<unknown>> = {
  work: fc.constantFrom(...PARTITIONS),
  workOrder: fc.constantFrom(...ORDERS),
  hook: fc.constantFrom(...PARTITIONS),
  endedAt: number,
  expiresAt: fc.integer({ min: 1, max: 5 }),
  n: number,
  m: number,
  x: value,
  'y.z': value,
};
const NAMES = Object.keys(SHAPES);
const COUNTED = ['n', 'm', 'expiresAt', 'endedAt'];

const key = fc.record({
  jobId: fc.constantFrom('1', '2', '3', 'é,'),
  part: fc.constantFrom('state', 'request'),
});
type Key = { jobId: string; part: string };
const name = fc.constantFrom(...NAMES, 'never');
const comparison = fc.constantFrom('=' as const, '<' as const, '<=' as const, '>' as const, '>=' as const);
const simple: fc.Arbitrary<Condition> = fc.oneof(
  fc.record({ attribute: name, is: fc.constantFrom('absent' as const, 'present' as const) }),
  fc.record({ attribute: name, is: comparison, to: fc.oneof(number, plain) }),
  fc.record({ attribute: name, is: fc.constant('=' as const), to: scalar }),
  fc
    .record({ attribute: name, both: fc.oneof(fc.tuple(number, number), fc.tuple(plain, plain)) })
    .map(({ attribute, both: [one, other] }) => {
      const [from, until] = order(one, other) <= 0 ? [one, other] : [other, one];
      return { attribute, is: 'between' as const, from, until };
    }),
  fc.record({
    attribute: name,
    is: fc.constant('one of' as const),
    values: fc.array(scalar, { minLength: 1, maxLength: 3 }),
  }),
  fc.record({
    attribute: name,
    is: fc.constant('prefixed' as const),
    by: fc.constantFrom('a', '1', 'p', 'a,'),
  }),
);
const condition: fc.Arbitrary<Condition> = fc.oneof(
  { weight: 4, arbitrary: simple },
  { weight: 1, arbitrary: fc.array(simple, { minLength: 1, maxLength: 3 }).map((any) => ({ anyOf: any })) },
);
/** Most are written. */
const when = fc.oneof(
  { weight: 2, arbitrary: fc.constant<Condition[]>([]) },
  { weight: 1, arbitrary: fc.array(condition, { minLength: 1, maxLength: 2 }) },
);

const attributes = fc.record(SHAPES, { requiredKeys: [] });
const update: fc.Arbitrary<Update> = fc
  .record({
    set: attributes,
    setOnce: attributes,
    add: fc.dictionary(fc.constantFrom(...COUNTED), fc.constantFrom(-1, 0, 1, 2.5), { maxKeys: 2 }),
    remove: fc.uniqueArray(name, { maxLength: 3 }),
    when,
  })
  .map(({ set, setOnce, add, remove, ...rest }) => {
    // An attribute is named once, the first that asks has it.
    const taken = new Set<string>();
    const first = (one: string) => !taken.has(one) && taken.add(one) !== undefined;
    const left = <Fields extends Attributes>(fields: Fields) =>
      Object.fromEntries(Object.entries(fields).filter(([one]) => first(one))) as Fields;
    return { remove: remove.filter(first), add: left(add), setOnce: left(setOnce), set: left(set), ...rest };
  });

const orders = fc.constantFrom(...ORDERS, 'a#', 'm');
const range: fc.Arbitrary<Range> = fc
  .record({
    partition: fc.constantFrom(...PARTITIONS),
    backwards: fc.boolean(),
    bound: fc.oneof(
      fc.constant({}),
      fc.record({ from: orders }),
      fc.record({ after: orders }),
      fc.record({ before: orders }),
      // The upper end is no row's, and above the lower one.
      fc.record({ from: plain, before: fc.constant('y') }),
    ),
  })
  .map(({ bound, ...rest }) => ({ index: 'byWork', ...rest, ...bound }));
const asked = fc.oneof(
  { weight: 3, arbitrary: range },
  {
    weight: 1,
    arbitrary: fc.record({
      index: fc.constant('byHook'),
      partition: fc.constantFrom(...PARTITIONS),
      backwards: fc.boolean(),
    }),
  },
);

// What should come out.

type Model = Map<string, Attributes>;
const textOf = ({ jobId, part }: Attributes) => JSON.stringify([jobId, part]);

/** Of two numbers or two strings; NaN: they have no order. */
function order(left: unknown, right: unknown): number {
  if (typeof left !== typeof right) return NaN;
  if (typeof left === 'number') return left - (right as number);
  if (typeof left !== 'string') return NaN;
  return Buffer.compare(Buffer.from(left), Buffer.from(right as string));
}

const same = (left: unknown, right: unknown) =>
  left !== undefined && JSON.stringify(left) === JSON.stringify(right);

function isMet(one: Condition, item: Attributes): boolean {
  if ('anyOf' in one) return one.anyOf.some((each) => isMet(each, item));
  const is = item[one.attribute];
  switch (one.is) {
    case 'absent':
      return is === undefined;
    case 'present':
      return is !== undefined;
    case 'one of':
      return one.values.some((each) => same(is, each));
    case 'prefixed':
      return typeof is === 'string' && is.slice(0, one.by.length) === one.by;
    case 'between':
      return order(is, one.from) >= 0 && order(is, one.until) <= 0;
    case '=':
      return same(is, one.to);
    default: {
      const by = order(is, one.to);
      return { '<': by < 0, '<=': by <= 0, '>': by > 0, '>=': by >= 0 }[one.is];
    }
  }
}

const areMet = (all: readonly Condition[] = [], item: Attributes = {}) =>
  all.every((one) => isMet(one, item));

function after(item: Attributes, { set = {}, setOnce = {}, add = {}, remove = [] }: Update): Attributes {
  const sums = Object.entries(add).map(
    ([one, by]) => [one, ((item[one] as number | undefined) ?? 0) + by] as const,
  );
  const next = { ...setOnce, ...item, ...set, ...Object.fromEntries(sums) };
  return Object.fromEntries(Object.entries(next).filter(([one]) => !remove.includes(one)));
}

function rowsOf(
  model: Model,
  { index, partition, from, after: behind, before, backwards }: Range,
): Attributes[] {
  const { partitionKey, sortKey } = jobsTable.indexes.find((one) => one.name === index)!;
  const rows = [...model.values()].filter(
    (item) =>
      item[partitionKey] === partition &&
      item[sortKey] !== undefined &&
      !(order(item[sortKey], from) < 0) &&
      !(order(item[sortKey], behind) <= 0) &&
      !(order(item[sortKey], before) >= 0),
  );
  rows.sort((a, b) => order(a[sortKey], b[sortKey]));
  const keys = [partitionKey, sortKey, 'jobId', 'part'];
  return (backwards ? rows.toReversed() : rows).map((item) =>
    Object.fromEntries(keys.map((one) => [one, item[one]])),
  );
}

const byKey = (items: Attributes[]) => new Map(items.map((item) => [textOf(item), item]));

type Command = fc.AsyncCommand<Model, TestStore>;
const tried = new Map<string, number>();
const note = (what: string) => tried.set(what, (tried.get(what) ?? 0) + 1);

const command = (
  text: string,
  run: (model: Model, table: ReturnType<TestStore['engine']['table']>) => Promise<void>,
): Command => ({
  check: () => true,
  run: (model, { engine }) => run(model, engine.table(jobsTable)),
  toString: () => text,
});

function puts(at: Key, fields: Attributes, conditions: Condition[]): Command {
  return command(`put ${JSON.stringify([at, fields, conditions])}`, async (model, table) => {
    const met = areMet(conditions, model.get(textOf(at)));
    expect(await table.put({ ...at, ...fields }, conditions)).toBe(met);
    if (met) model.set(textOf(at), { v: 1, ...at, ...fields });
    note(met ? 'put' : 'put refused');
  });
}

function updates(at: Key, change: Update, answer: 'nothing' | 'all' | 'written'): Command {
  return command(`update, answers ${answer} ${JSON.stringify([at, change])}`, async (model, table) => {
    const met = areMet(change.when, model.get(textOf(at)));
    const next = after(model.get(textOf(at)) ?? at, change);
    if (answer === 'nothing') expect(await table.update(at, change)).toBe(met);
    else {
      const written = await table.updateAndRead<Attributes>(at, change, answer);
      if (!met) expect(written).toBeUndefined();
      else if (answer === 'all') expect(written).toEqual(next);
      else expect(next).toMatchObject(written!);
    }
    if (met) model.set(textOf(at), next);
    note(met ? 'update' : 'update refused');
  });
}

function removes(at: Key, conditions: Condition[]): Command {
  return command(`remove ${JSON.stringify([at, conditions])}`, async (model, table) => {
    const met = areMet(conditions, model.get(textOf(at)));
    expect(await table.remove(at, conditions)).toBe(met);
    if (met) model.delete(textOf(at));
    note(met ? 'remove' : 'remove refused');
  });
}

function reads(keys: Key[]): Command {
  return command(`read ${JSON.stringify(keys)}`, async (model, table) => {
    expect(await table.read(keys[0]!)).toEqual(model.get(textOf(keys[0]!)));
    const there = keys.flatMap((one): Attributes[] => [model.get(textOf(one)) ?? []].flat());
    expect(byKey(await table.readMany<Attributes>(keys, true))).toEqual(byKey(there));
  });
}

function lists(of: Range, limit: number): Command {
  return command(`list ${JSON.stringify([of, limit])}`, async (model, table) => {
    const { sortKey } = jobsTable.indexes.find((one) => one.name === of.index)!;
    const wanted = rowsOf(model, of);
    // Of rows with one order any may come first.
    const ordersOf = (rows: Attributes[]) => rows.map((row) => row[sortKey]);
    const { rows, more } = await table.page(of, limit);
    expect(ordersOf(rows)).toEqual(ordersOf(wanted).slice(0, limit));
    // Where a page ends with the last row, DynamoDB does not know that there is none behind it.
    if (wanted.length !== limit) expect(more).toBe(wanted.length > limit);
    const all: Attributes[] = [];
    for await (const page of table.pages(of, limit)) all.push(...page);
    expect(ordersOf(all)).toEqual(ordersOf(wanted));
    expect(byKey(all)).toEqual(byKey(wanted));
    expect(await table.count(of)).toBe(wanted.length);
    note(wanted.length > limit ? 'pages' : 'page');
  });
}

/** On AWS it is DynamoDB that removes. */
function expires(second: number): Command {
  return {
    check: () => isEmbedded(store),
    async run(model) {
      const gone = [...model].filter(([, { expiresAt }]) => (expiresAt as number) < second);
      expect(await (store as EmbeddedStore).engine.removeExpired(second * 1000 + 999)).toBe(gone.length);
      for (const [at] of gone) model.delete(at);
      if (gone.length > 0) note('expire');
    },
    toString: () => `expire before ${second}`,
  };
}

const isEmbedded = (of: TestStore): of is EmbeddedStore => 'directory' in of;

const answer = fc.constantFrom('nothing' as const, 'all' as const, 'written' as const);
const KEYS = { minLength: 1, maxLength: 4, selector: (one: Key) => textOf(one) };
const commands = fc.commands(
  [
    fc.oneof(
      { weight: 6, arbitrary: fc.tuple(key, attributes, when).map((given) => puts(...given)) },
      { weight: 8, arbitrary: fc.tuple(key, update, answer).map((given) => updates(...given)) },
      { weight: 2, arbitrary: fc.tuple(key, when).map((given) => removes(...given)) },
      { weight: 3, arbitrary: fc.uniqueArray(key, KEYS).map(reads) },
      {
        weight: 8,
        arbitrary: fc.tuple(asked, fc.integer({ min: 1, max: 3 })).map((given) => lists(...given)),
      },
      { weight: 1, arbitrary: fc.integer({ min: 1, max: 6 }).map(expires) },
    ),
  ],
  { maxCommands: 60, size: 'max' },
);

it('an engine does what a map in memory does', { timeout: 300_000 }, async () => {
  const table = store.engine.table(jobsTable);
  await fc.assert(
    fc.asyncProperty(commands, async (taken) => {
      for (const { jobId, part } of await table.readAll<Attributes>(true))
        await table.remove({ jobId, part });
      const model: Model = new Map();
      await fc.asyncModelRun(() => ({ model, real: store }), taken);
      expect(byKey(await table.readAll<Attributes>(true))).toEqual(model);
      for (const { name: index } of jobsTable.indexes)
        for (const partition of PARTITIONS)
          expect(await table.count({ index, partition })).toBe(rowsOf(model, { index, partition }).length);
      if (isEmbedded(store)) await checkFile(store.directory);
    }),
    { seed: 14, numRuns: isEmbedded(store) ? 100 : 25 },
  );
  // Worth something only if everything was tried, and in vain too.
  const wanted = [
    'put',
    'put refused',
    'update',
    'update refused',
    'remove',
    'remove refused',
    'page',
    'pages',
  ];
  for (const one of isEmbedded(store) ? [...wanted, 'expire'] : wanted)
    expect({ [one]: tried.get(one) ?? 0 }).not.toEqual({ [one]: 0 });
});
