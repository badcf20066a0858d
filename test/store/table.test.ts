// What every engine makes of conditions, updates, indexes and ranges (functions/store/engine.ts): each kind by itself.

import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import {
  absent,
  anyOf,
  type Attributes,
  beginsWith,
  between,
  type Condition,
  oneOf,
  present,
  type Range,
  type Table,
  type Update,
  where,
} from '../../functions/store/engine.ts';
import { fleetTable, jobsTable } from '../../functions/store/tables.ts';
import { startStore, type TestStore } from '../support/store.ts';

/** It orders strings in conditions by UTF-16, and takes an empty key of an index. DynamoDB Local does neither. */
const isDynalite = inject('engine') === 'dynamodb' && inject('dynamodbUrl') === '';

let store: TestStore;
let table: Table;
beforeAll(async () => {
  store = await startStore();
  table = store.engine.table(jobsTable);
});
afterAll(() => store.close());

let made = 0;
/** A key that nothing lies under. */
function newKey() {
  made += 1;
  return { jobId: `item-${String(made).padStart(4, '0')}`, part: 'state' };
}
async function put(attributes: Attributes = {}) {
  const key = newKey();
  expect(await table.put({ ...key, ...attributes })).toBe(true);
  return key;
}
async function without(key: Attributes): Promise<Attributes | undefined> {
  const found = await table.read<Attributes>(key);
  if (!found) return undefined;
  const { jobId: _, part: __, v: ___, ...rest } = found;
  return rest;
}

const ITEM = { n: 10, s: 'b', yes: true, none: null, negative: -1, half: 0.5, digits: '10', ',': 'a comma' };

/** [what the condition asks, the condition, whether it holds of ITEM, whether of an item that is not there] */
const CONDITIONS: [string, Condition, boolean, boolean][] = [
  ['absent, of an attribute that is there', absent('n'), false, true],
  ['absent, of one that is not', absent('m'), true, true],
  ['absent, of null', absent('none'), false, true],
  ['present, of an attribute that is there', present('n'), true, false],
  ['present, of one that is not', present('m'), false, false],
  ['present, of null', present('none'), true, false],
  ['= the number', where('n', '=', 10), true, false],
  ['= another number', where('n', '=', 11), false, false],
  ['= a string of its digits', where('n', '=', '10'), false, false],
  ['= a number, of a string of its digits', where('digits', '=', 10), false, false],
  ['= the string', where('s', '=', 'b'), true, false],
  ['= a longer string', where('s', '=', 'ba'), false, false],
  ['= the boolean', where('yes', '=', true), true, false],
  ['= the other boolean', where('yes', '=', false), false, false],
  ['= null', where('none', '=', null), true, false],
  ['= of an attribute that is not there', where('m', '=', 10), false, false],
  ['< a greater number', where('n', '<', 11), true, false],
  ['< the number itself', where('n', '<', 10), false, false],
  ['< a number that is greater but has fewer digits', where('negative', '<', 9), true, false],
  ['< 9, by value and not by digits', where('n', '<', 9), false, false],
  ['< a string, of a number', where('n', '<', 'z'), false, false],
  ['< of an attribute that is not there', where('m', '<', 10), false, false],
  ['<= the number itself', where('n', '<=', 10), true, false],
  ['<= a smaller number', where('n', '<=', 9.5), false, false],
  ['<= of an attribute that is not there', where('m', '<=', 10), false, false],
  ['> a smaller number', where('half', '>', 0.25), true, false],
  ['> the number itself', where('n', '>', 10), false, false],
  ['> of an attribute that is not there', where('m', '>', -10), false, false],
  ['>= the number itself', where('n', '>=', 10), true, false],
  ['>= a greater number', where('n', '>=', 10.5), false, false],
  ['>= the string itself', where('s', '>=', 'b'), true, false],
  ['< a greater string', where('s', '<', 'ba'), true, false],
  ['> a string that is a prefix', where('digits', '>', '1'), true, false],
  ['between, at the lower end', between('n', 10, 12), true, false],
  ['between, at the upper end', between('n', 8, 10), true, false],
  ['between, below', between('n', 11, 12), false, false],
  ['between, above', between('n', 8, 9), false, false],
  ['between, of another type', between('digits', 8, 12), false, false],
  ['between, of an attribute that is not there', between('m', 8, 12), false, false],
  ['one of, the last', oneOf('s', ['a', 1, 'b']), true, false],
  ['one of, none', oneOf('s', ['a', 'c']), false, false],
  ['one of, of another type', oneOf('n', ['10', '11']), false, false],
  ['one of, of an attribute that is not there', oneOf('m', ['a']), false, false],
  ['begins with a prefix', beginsWith('digits', '1'), true, false],
  ['begins with all of it', beginsWith('digits', '10'), true, false],
  ['begins with more', beginsWith('digits', '101'), false, false],
  ['begins with, in the middle', beginsWith('digits', '0'), false, false],
  ['begins with, of a number', beginsWith('n', '1'), false, false],
  ['begins with, of an attribute that is not there', beginsWith('m', '1'), false, false],
  ['any of, the first', anyOf(where('n', '=', 10), where('n', '=', 11)), true, false],
  ['any of, the second', anyOf(where('n', '=', 11), where('n', '=', 10)), true, false],
  ['any of, none', anyOf(where('n', '=', 11), absent('n')), false, true],
  ['of an attribute whose name is a comma', where(',', '=', 'a comma'), true, false],
];

describe.each(CONDITIONS)('%s', (_, condition, holds, holdsOfNothing) => {
  test('lets a put through or not', async () => {
    const key = await put(ITEM);
    expect(await table.put({ ...key, new: 1 }, [condition])).toBe(holds);
    expect(await without(key)).toEqual(holds ? { new: 1 } : ITEM);
  });

  test('an update', async () => {
    const key = await put(ITEM);
    expect(await table.update(key, { when: [condition], set: { n: 11 } })).toBe(holds);
    expect(await without(key)).toEqual(holds ? { ...ITEM, n: 11 } : ITEM);
  });

  test('a removal', async () => {
    const key = await put(ITEM);
    expect(await table.remove(key, [condition])).toBe(holds);
    expect(await without(key)).toEqual(holds ? undefined : ITEM);
  });

  test('each where no item is', async () => {
    const [one, two, three] = [newKey(), newKey(), newKey()];
    expect(await table.put({ ...one, new: 1 }, [condition])).toBe(holdsOfNothing);
    expect(await table.update(two, { when: [condition], set: { new: 1 } })).toBe(holdsOfNothing);
    expect(await table.remove(three, [condition])).toBe(holdsOfNothing);
    const wanted = holdsOfNothing ? { new: 1 } : undefined;
    expect([await without(one), await without(two), await without(three)]).toEqual([
      wanted,
      wanted,
      undefined,
    ]);
  });
});

test.each([
  [true, true],
  [true, false],
  [false, true],
  [false, false],
])('of two conditions both must hold: %s and %s', async (first, second) => {
  const key = await put({ n: 1, s: 'a' });
  const when = [where('n', '=', first ? 1 : 2), where('s', '=', second ? 'a' : 'b')];
  expect(await table.update(key, { when, set: { written: true } })).toBe(first && second);
});

const BYTES: [string, string][] = [
  ['\u{1f98a}', '\uffee'],
  ['é', 'z'],
  ['Z', 'a'],
];
const byBytes = (strings: string[]) =>
  strings.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))) as [string, string];

test.skipIf(isDynalite).each(BYTES)(
  'strings compare by their bytes in conditions: %j and %j',
  async (...both) => {
    const [low, high] = byBytes(both);
    const key = await put({ s: low });
    expect(await table.update(key, { when: [where('s', '<', high)], set: { n: 1 } })).toBe(true);
    expect(await table.update(key, { when: [where('s', '>', high)], set: { n: 1 } })).toBe(false);
    expect(await table.update(key, { when: [between('s', low, high)], set: { n: 1 } })).toBe(true);
  },
);

test.each(BYTES)('and in an index: %j and %j', async (...both) => {
  const [low, high] = byBytes(both);
  const partition = `bytes ${low}`;
  await put({ work: partition, workOrder: high });
  await put({ work: partition, workOrder: low });
  const orders = async (range: Partial<Range>) =>
    (await table.page({ index: 'byWork', partition, ...range }, 9)).rows.map(({ workOrder }) => workOrder);
  expect(await orders({})).toEqual([low, high]);
  expect(await orders({ after: low })).toEqual([high]);
  expect(await orders({ before: high })).toEqual([low]);
  expect(await orders({ from: high })).toEqual([high]);
});

describe('an update', () => {
  /** [what, before, update, after] */
  const UPDATES: [string, Attributes | undefined, Update, Attributes][] = [
    [
      'sets what was not there and what was',
      { n: 1, s: 'a' },
      { set: { n: 2, m: 3 } },
      { n: 2, s: 'a', m: 3 },
    ],
    ['sets null', { n: 1 }, { set: { n: null } }, { n: null }],
    ['leaves fields without a value alone', { n: 1 }, { set: { n: undefined, m: 2 } }, { n: 1, m: 2 }],
    [
      'stores no field without a value, at any depth',
      {},
      { set: { a: { b: undefined, c: [{ d: undefined }] } } },
      { a: { c: [{}] } },
    ],
    ['sets once what is not there', {}, { setOnce: { n: 1 } }, { n: 1 }],
    ['does not set once what is there', { n: 5 }, { setOnce: { n: 1 } }, { n: 5 }],
    ['does not set once where null is', { n: null }, { setOnce: { n: 1 } }, { n: null }],
    ['adds to a number', { n: 5 }, { add: { n: 2 } }, { n: 7 }],
    ['adds to what is not there as to 0', {}, { add: { n: -2 } }, { n: -2 }],
    ['adds 0', { n: 5 }, { add: { n: 0 } }, { n: 5 }],
    ['removes', { n: 1, m: 2 }, { remove: ['n'] }, { m: 2 }],
    ['removes what is not there', { n: 1 }, { remove: ['m'] }, { n: 1 }],
    [
      'does all of it at once',
      { a: 1, b: 1, c: 1, d: 1 },
      { set: { a: 2 }, setOnce: { b: 2, e: 2 }, add: { c: 2 }, remove: ['d'] },
      { a: 2, b: 1, c: 3, e: 2 },
    ],
    [
      'creates an item that is not there',
      undefined,
      { set: { n: 1 }, setOnce: { m: 2 }, add: { k: 3 } },
      { n: 1, m: 2, k: 3 },
    ],
  ];

  test.each(UPDATES)('%s', async (_, before, change, after) => {
    const key = before ? await put(before) : newKey();
    expect(await table.update(key, change)).toBe(true);
    expect(await without(key)).toEqual(after);
  });

  test.each(UPDATES)('%s, and tells it', async (_, before, change, after) => {
    const key = before ? await put(before) : newKey();
    expect(await table.updateAndRead(key, change)).toEqual({ ...key, ...(before && { v: 1 }), ...after });
    const again = before ? await put(before) : newKey();
    const written = await table.updateAndRead<Attributes>(again, change, 'written');
    const fields = { ...change.set, ...change.setOnce, ...change.add };
    const named = Object.keys(fields).filter((name) => fields[name] !== undefined);
    for (const name of named) expect(written).toMatchObject({ [name]: after[name] });
  });

  test('that is refused tells nothing and changes nothing', async () => {
    const key = await put({ n: 1 });
    expect(await table.updateAndRead(key, { when: [where('n', '=', 2)], add: { n: 1 } })).toBeUndefined();
    expect(await without(key)).toEqual({ n: 1 });
  });

  test('of many at once: each adds, and of those on one condition one is accepted', async () => {
    const key = await put({ n: 0 });
    await Promise.all(Array.from({ length: 50 }, () => table.update(key, { add: { n: 1 } })));
    expect(await without(key)).toEqual({ n: 50 });
    const once = () => table.update(key, { when: [where('n', '=', 50)], add: { n: 1 } });
    const taken = await Promise.all(Array.from({ length: 20 }, once));
    expect(taken.filter(Boolean)).toHaveLength(1);
  });
});

describe('what DynamoDB refuses, every engine refuses, and nothing is written', () => {
  test.each<[string, (key: { jobId: string; part: string }) => Promise<unknown>]>([
    ['an update of a key', (key) => table.update(key, { set: { jobId: 'other' } })],
    ['the removal of a key', (key) => table.update(key, { remove: ['part'] })],
    ['an attribute that is named twice', (key) => table.update(key, { set: { n: 1 }, add: { n: 1 } })],
    ['a number added to a string', (key) => table.update(key, { add: { s: 1 } })],
    ['an empty key', (key) => table.put({ ...key, part: '' })],
    ['a key that is missing', ({ jobId }) => table.put({ jobId })],
    ['a key of another type', (key) => table.put({ ...key, part: 5 })],
    ['a string where an index counts', (key) => table.put({ ...key, hook: 'armed', endedAt: '5' })],
    ['a number where an index has a string', (key) => table.put({ ...key, work: 5, workOrder: 'a' })],
    ['no number', (key) => table.update(key, { set: { n: NaN } })],
    ['no end', (key) => table.put({ ...key, n: [Infinity] })],
  ])('%s', async (_, write) => {
    const key = await put({ s: 'a' });
    await expect(write(key)).rejects.toBeInstanceOf(Error);
    expect(await without(key)).toEqual({ s: 'a' });
  });

  test.skipIf(isDynalite)('an empty key of an index', async () => {
    const key = newKey();
    await expect(table.put({ ...key, work: '', workOrder: 'a' })).rejects.toBeInstanceOf(Error);
    expect(await table.read(key)).toBeUndefined();
  });
});

describe('an index', () => {
  let partition: string;
  const idsIn = async (of: string, range: Partial<Range> = {}, limit = 100) =>
    (await table.page({ index: 'byWork', partition: of, ...range }, limit)).rows.map(({ jobId }) => jobId);

  test('has rows with the keys of index and table, and nothing else', async () => {
    const key = await put({ work: 'keys', workOrder: 'a', n: 1 });
    const row = { ...key, work: 'keys', workOrder: 'a' };
    expect(await table.page({ index: 'byWork', partition: 'keys' }, 9)).toMatchObject({ rows: [row] });
    for await (const rows of table.pages({ index: 'byWork', partition: 'keys' })) expect(rows).toEqual([row]);
  });

  test.each<[string, Update, string[], string[]]>([
    ['another partition', { set: { work: 'to' } }, [], ['it']],
    ['another order', { set: { workOrder: 'z' } }, ['it'], []],
    ['without its partition', { remove: ['work'] }, [], []],
    ['without its order', { remove: ['workOrder'] }, [], []],
    ['changed in something else', { set: { n: 2 } }, ['it'], []],
  ])('moves the row of an item: %s', async (name, update, from, to) => {
    const key = await put({ work: `from ${name}`, workOrder: 'a' });
    const change = update.set?.['work'] ? { set: { work: `to ${name}` } } : update;
    expect(await table.update(key, change)).toBe(true);
    const named = (ids: unknown[]) => ids.map((id) => (id === key.jobId ? 'it' : id));
    expect(named(await idsIn(`from ${name}`))).toEqual(from);
    expect(named(await idsIn(`to ${name}`))).toEqual(to);
  });

  test('tells keys apart in which a comma moves from one to the next', async () => {
    const key = await put({ work: 'a,b', workOrder: 'c' });
    await table.update(key, { set: { work: 'a', workOrder: 'b,c' } });
    expect([await idsIn('a,b'), await idsIn('a')]).toEqual([[], [key.jobId]]);
  });

  test('loses the row when its item is removed, or replaced by one without it, and not when that is refused', async () => {
    const one = await put({ work: 'gone', workOrder: 'a' });
    const two = await put({ work: 'gone', workOrder: 'b' });
    expect(await table.remove(one, [absent('work')])).toBe(false);
    expect(await table.put(two, [absent('work')])).toBe(false);
    expect(await idsIn('gone')).toEqual([one.jobId, two.jobId]);
    await table.remove(one);
    expect(await idsIn('gone')).toEqual([two.jobId]);
    await table.put(two);
    expect(await idsIn('gone')).toEqual([]);
  });

  test('keeps apart items of one order, and the two parts of one job', async () => {
    const same = { work: 'same', workOrder: 'a' };
    const one = await put(same);
    const two = await put(same);
    await table.put({ ...one, part: 'request', ...same });
    expect((await idsIn('same')).map(String).toSorted()).toEqual([one.jobId, one.jobId, two.jobId]);
    await table.remove(one);
    expect((await idsIn('same')).map(String).toSorted()).toEqual([one.jobId, two.jobId]);
    expect(await table.count({ index: 'byWork', partition: 'same' })).toBe(2);
  });

  test('orders numbers by value', async () => {
    const times = [10, 9, 1_764_412_345_678, 100, 0.5, -3, 0];
    for (const endedAt of times) await put({ hook: 'numbers', endedAt });
    const { rows } = await table.page({ index: 'byHook', partition: 'numbers' }, 9);
    expect(rows.map(({ endedAt }) => endedAt)).toEqual(times.toSorted((a, b) => a - b));
  });

  /** Where one order is the beginning of another, and the partition's name of another partition's. */
  const ORDERS = ['a', 'a#1', 'a#1#x', 'a#2', 'b', 'ba', 'c'];
  beforeAll(async () => {
    partition = 'ranges';
    for (const workOrder of ORDERS.toReversed()) await put({ work: partition, workOrder });
    for (const other of ['range', 'ranges#', 'rangesa', 'sanges'])
      await put({ work: other, workOrder: 'a#1' });
  });

  const RANGES: [string, Omit<Range, 'index' | 'partition'>, string[]][] = [
    ['all', {}, ORDERS],
    ['from a row', { from: 'a#1' }, ['a#1', 'a#1#x', 'a#2', 'b', 'ba', 'c']],
    ['from between rows', { from: 'a#1#' }, ['a#1#x', 'a#2', 'b', 'ba', 'c']],
    ['from behind the last', { from: 'd' }, []],
    ['after a row', { after: 'a#1' }, ['a#1#x', 'a#2', 'b', 'ba', 'c']],
    ['after between rows', { after: 'aa' }, ['b', 'ba', 'c']],
    ['after the last', { after: 'c' }, []],
    ['before a row', { before: 'a#2' }, ['a', 'a#1', 'a#1#x']],
    ['before between rows', { before: 'a#3' }, ['a', 'a#1', 'a#1#x', 'a#2']],
    ['before the first', { before: 'a' }, []],
    ['from a row, before between rows', { from: 'a#1', before: 'b~' }, ['a#1', 'a#1#x', 'a#2', 'b', 'ba']],
    ['from and before, nothing between', { from: 'bb', before: 'bc' }, []],
  ];

  test.each(RANGES)(
    'has the rows of a range, up and down, in pages of any size, and counted: %s',
    async (_, range, wanted) => {
      for (const backwards of [false, true]) {
        const all = backwards ? wanted.toReversed() : wanted;
        const asked = { index: 'byWork', partition, ...range, backwards };
        for (const limit of [1, 2, 3, 7, 100]) {
          const { rows, more } = await table.page(asked, limit);
          expect(rows.map(({ workOrder }) => workOrder)).toEqual(all.slice(0, limit));
          // Where a page ends with the last row, DynamoDB does not know that there is none behind it.
          if (all.length !== limit) expect(more).toBe(all.length > limit);
          const paged: unknown[] = [];
          for await (const page of table.pages(asked, limit)) {
            expect(page.length).toBeLessThanOrEqual(limit);
            paged.push(...page.map(({ workOrder }) => workOrder));
            // Pages that do not go on would come for ever.
            expect(paged.length).toBeLessThanOrEqual(all.length);
          }
          expect(paged).toEqual(all);
        }
        expect(await table.count(asked)).toBe(wanted.length);
      }
    },
  );

  test('goes on with what is behind the page, whatever is written between two pages', async () => {
    const [a, b, c] = [
      await put({ work: 'moving', workOrder: 'b' }),
      await put({ work: 'moving', workOrder: 'd' }),
      await put({ work: 'moving', workOrder: 'f' }),
    ];
    const seen: unknown[] = [];
    for await (const rows of table.pages({ index: 'byWork', partition: 'moving' }, 1)) {
      seen.push(...rows.map(({ jobId }) => jobId));
      if (seen.length === 1) {
        await table.remove(a);
        await put({ work: 'moving', workOrder: 'a' });
      }
    }
    expect(seen).toEqual([a.jobId, b.jobId, c.jobId]);
  });
});

describe('reading', () => {
  test('many: those that are there, with the attributes that were asked for', async () => {
    const keys = [await put({ n: 1, m: 1 }), newKey(), await put({ n: 2, m: 2 })];
    const found = await table.readMany<Attributes>(keys, true);
    expect(new Set(found.map(({ n }) => n))).toEqual(new Set([1, 2]));
    const some = await table.readMany<Attributes>(keys, false, ['jobId', 'n']);
    expect(new Map(some.map(({ jobId, n }) => [jobId, n]))).toEqual(
      new Map([
        [keys[0]!.jobId, 1],
        [keys[2]!.jobId, 2],
      ]),
    );
    expect(await table.readMany([], true)).toEqual([]);
  });

  test('all of a table, and nothing of another', async () => {
    const fleet = store.engine.table(fleetTable);
    for (let n = 0; n < 120; n += 1) await fleet.put({ fleetId: `f-${n}`, n });
    expect((await fleet.readAll<{ n: number }>(true)).map(({ n }) => n).toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: 120 }, (_, n) => n),
    );
    await put({});
    expect(await fleet.readAll(false)).toHaveLength(120);
  });

  test('what a caller does to an item that was read or written changes nothing stored', async () => {
    const key = newKey();
    const given = { ...key, list: [1] };
    await table.put(given);
    given.list.push(2);
    const read = (await table.read<{ list: number[] }>(key))!;
    read.list.push(3);
    const told = (await table.updateAndRead<{ list: number[] }>(key, { set: { n: 1 } }))!;
    told.list.push(4);
    expect(await without(key)).toEqual({ list: [1], n: 1 });
  });

  test('values come back as they were: bytes, numbers, nesting, names and texts of any kind', async () => {
    const values = {
      bytes: new Uint8Array([0, 1, 255]),
      numbers: [
        0,
        -1,
        0.1,
        1_764_412_345_678,
        Number.MAX_SAFE_INTEGER,
        -Number.MAX_SAFE_INTEGER,
        1e-7,
        2 ** 40,
      ],
      whole: [2n ** 53n + 1n, 2n ** 64n - 1n, -(2n ** 63n), 10n ** 38n - 1n, -(10n ** 36n)],
      nested: { a: [1, { b: null }, []], c: {} },
      text: 'Ünïcode 🦊\n\u0000\u0001 end',
      long: 'x'.repeat(100_000),
      '#odd name.with[0]': true,
      status: 'a reserved word',
    };
    const key = await put(values);
    const found = (await without(key)) as typeof values;
    expect(found.bytes).toBeInstanceOf(Uint8Array);
    expect({ ...found, bytes: [...found.bytes] }).toEqual({ ...values, bytes: [0, 1, 255] });
    // Not a window on what a later read overwrites.
    await put({ bytes: new Uint8Array([9, 9, 9]) });
    expect([...found.bytes]).toEqual([0, 1, 255]);
  });

  test('a put replaces all of an item, and says its schema version unless the item does', async () => {
    const key = await put({ n: 1, m: 1 });
    await table.put({ ...key, n: 2 });
    expect(await table.read(key)).toEqual({ ...key, v: 1, n: 2 });
    await table.put({ ...key, v: 7 });
    expect(await table.read(key)).toEqual({ ...key, v: 7 });
  });
});
