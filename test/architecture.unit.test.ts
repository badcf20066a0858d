// docs/architecture.md against the code: the state machine verb by verb, the tables key by key.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { apply, type JobState } from '../functions/core/job.ts';
import { tables, type TableSpec } from '../functions/store/tables.ts';
import { KNOWLEDGE, STATES, type Verb, VERB_NAMES, VERBS } from './core/job-states.ts';

const page = readFileSync('docs/architecture.md', 'utf8');

/** The cells of a chapter's table, without its head. */
function rowsOf(chapter: string): string[][] {
  const text = page.split(`\n## ${chapter}\n`)[1]!.split('\n## ')[0]!;
  const rows = text.split('\n').filter((line) => line.startsWith('|'));
  return rows.slice(2).map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

const words = (cell: string) => cell.replaceAll('`', '').split(', ').toSorted();

const phaseOf = ({ status, host }: JobState) =>
  status === 'queued' ? (host === undefined ? 'waiting' : 'held') : status;

/** What the verb does to jobs in every state, by one who knows them as they are. */
function seen(verb: Verb) {
  const from = new Set<string>();
  const to = new Set<string>();
  const fields = new Set<string>();
  for (const job of Object.values<JobState>(STATES)) {
    const change = VERBS[verb](KNOWLEDGE.right(job));
    for (const { field } of change.when) fields.add(field);
    const after = apply(job, change);
    if (!after) continue;
    from.add(phaseOf(job));
    to.add(phaseOf(after));
  }
  return { from: [...from].toSorted(), to: [...to].toSorted(), fields: [...fields].toSorted() };
}

describe('the state machine', () => {
  const rows = rowsOf('States');

  test('every verb stands in the table', () => {
    expect(rows.map(([verb]) => verb)).toEqual(VERB_NAMES.map((verb) => `\`${verb}\``));
  });

  test.each(VERB_NAMES)('%s', (verb) => {
    const [, from, to, fields] = rows.find(([name]) => name === `\`${verb}\``)!;
    expect({ from: words(from!), to: words(to!), fields: words(fields!) }).toEqual(seen(verb));
  });
});

test('the tables, their keys and indexes', () => {
  const keys = (names: (string | undefined)[]) =>
    names.flatMap((name) => (name === undefined ? [] : [`\`${name}\``])).join(', ');
  const asWritten = ({ name, partitionKey, sortKey, indexes }: TableSpec) => [
    `\`${name}\``,
    keys([partitionKey, sortKey]),
    indexes.map((one) => `\`${one.name}\` (${keys([one.partitionKey, one.sortKey])})`).join('; '),
  ];
  expect(rowsOf('Tables').map((row) => row.slice(0, 3))).toEqual(tables.map((table) => asWritten(table)));
});

function filesWith(pattern: RegExp, folder = 'functions'): string[] {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return files.filter(
    (file) => file.endsWith('.ts') && pattern.test(readFileSync(join(folder, file), 'utf8')),
  );
}

test('no write spans two items', () => {
  expect(filesWith(/Transact(Write|Get)/)).toEqual([]);
});

// Headers that middleware sets before the route are lost with a Response that does not come from the context.
test('a route answers by its context; what is before the app alone does not', () => {
  expect(filesWith(/new Response\(|Response\.json\(/, 'functions/api')).toEqual([
    'http/cloudfront-secret-check.ts',
  ]);
});
