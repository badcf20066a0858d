// One vocabulary: docs/glossary.md names what is there, and words that were replaced do not come back.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

const read = (path: string) => readFileSync(path, 'utf8');
const flat = (text: string) => text.toLowerCase().replaceAll(/[\s_-]+/g, '');

const rows = [...read('docs/glossary.md').matchAll(/^\| ([^|]+) \| ([^|]+) \| `([^`|]+)` \|$/gm)].map(
  ([, term, meaning, path]) => ({ term: term!, meaning: meaning!, path: path! }),
);

describe('the glossary', () => {
  test('has each term once, with one sentence', () => {
    expect(rows.length).toBeGreaterThan(40);
    const terms = rows.map(({ term }) => term);
    expect(terms.filter((term, index) => terms.indexOf(term) !== index)).toEqual([]);
    expect(rows.filter(({ meaning }) => !/^[A-Z][^]*\.$/.test(meaning))).toEqual([]);
    const tableLines = read('docs/glossary.md').match(/^\| (?!term )/gm)!;
    expect(tableLines).toHaveLength(rows.length);
  });

  test.each(rows)('$term lives in $path', ({ term, path }) => {
    expect(existsSync(path)).toBe(true);
    expect(flat(`${path} ${read(path)}`)).toContain(flat(term));
  });

  test('is linked from the architecture and for contributors', () => {
    expect(read('docs/architecture.md')).toContain('](glossary.md)');
    expect(read('CONTRIBUTING.md')).toContain('](docs/glossary.md)');
  });
});

interface Replaced {
  word: RegExp;
  by: string;
  /** Files where the word is another one's. */
  but?: RegExp;
}

const REPLACED: Replaced[] = [
  { word: /\bclaimers?\b/i, by: 'claim loop' },
  { word: /\bkeepers?\b/i, by: 'watchdog' },
  { word: /\bstrays?\b/i, by: 'orphan' },
  { word: /\bleavings\b/i, by: 'cleanup' },
  { word: /\btally\b/i, by: 'stats' },
  // The key of an index that deployed tables have.
  { word: /\b(dis)?armed\b|\bdisarm\b/i, by: 'pending, clear', but: /^functions\/store\/job-item\.ts$/ },
  { word: /\bsweepStill\b/, by: 'reclaimStalled' },
  { word: /\bfurthestHeld\b/, by: 'max start tag in service' },
  { word: /\boutliveReaders\b/, by: 'ignoreBrokenPipes' },
  { word: /\bsayReady\b/, by: 'reportReady' },
  { word: /\b(the|a) board\b/i, by: 'slots' },
  { word: /\bleft alone\b/i, by: 'unrunnable, unchanged' },
  { word: /\blacks[A-Z]\w*/, by: 'missingRequirements' },
  { word: /\bfront[ -]door\b/i, by: 'endpoint, CloudFront' },
  { word: /\b(nobody|somebody|anybody)\b/i, by: 'the subject' },
  { word: /\b(marks|tells|told)\b/i, by: 'reservations, reports' },
  { word: /\bmeanwhile\b/i, by: 'the moment that is meant' },
  { word: /\bwho (has|have) (lost|claimed|put|made)\b/i, by: 'the subject' },
  { word: /\bwhoever\b/i, by: 'the subject: the caller, the host, the process' },
];

const SOURCES = /\.(ts|mjs|md|sh|ya?ml)$/;
const ours = ['functions', 'simulated-comfyui', 'infra', 'docs']
  .flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((file) => join(folder, file)),
  )
  .concat('README.md', 'CONTRIBUTING.md', 'SECURITY.md')
  .filter((file) => SOURCES.test(file) && file !== 'docs/glossary.md' && !file.includes('.build/'));

test.each(REPLACED)('$word is $by', ({ word, but }) => {
  const found = ours
    .filter((file) => !but?.test(file))
    .flatMap((file) =>
      read(file)
        .split('\n')
        .flatMap((line, index) => (word.test(line) ? [`${file}:${index + 1}: ${line.trim()}`] : [])),
    );
  expect(found).toEqual([]);
});
