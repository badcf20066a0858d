// The papers of the project: what they point at is there, and what calls CI calls what people call.

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';

const read = (path: string) => readFileSync(path, 'utf8');

test('the licence is that of package.json', () => {
  const { license } = JSON.parse(read('package.json')) as { license: string };
  expect(read('LICENSE')).toMatch(new RegExp(`^${license} License\n`));
});

test("GitHub's machine runs .ci/run on the Node of .nvmrc", () => {
  const workflow = read('.github/workflows/ci.yml');
  expect(workflow).toMatch(/^ +- run: \.ci\/run$/m);
  expect(workflow).toContain(`image: node:${read('.nvmrc').trim()}-`);
  expect(statSync('.ci/run').mode & 0o111).not.toBe(0);
});

test('who reports a fault is asked what the doctor says', () => {
  const template = read('.github/ISSUE_TEMPLATE/bug.yml');
  expect(template).toMatch(/id: doctor[^]*npm run doctor -- --local[^]*required: true/);
});

const SOURCES = /\.(ts|mjs|md|sh|ya?ml|service|Dockerfile)$|^(\.ci\/run|cdk\.json)$/;
const OUR_FOLDERS = [
  '.ci',
  '.github',
  'console',
  'docs',
  'findings',
  'functions',
  'infra',
  'simulated-comfyui',
  'test',
  'workflows',
];
const ours = [
  ...readdirSync('.').filter((file) => SOURCES.test(file)),
  ...OUR_FOLDERS.flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((file) => join(folder, file)),
  ),
].filter((file) => SOURCES.test(file) && !file.startsWith('test/contract/') && !file.includes('.build/'));

test('every link of a page leads to a file that is here', () => {
  const broken = ours
    .filter((file) => file.endsWith('.md'))
    .flatMap((page) =>
      [...read(page).matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)]
        .filter(([, target]) => !existsSync(join(dirname(page), target!)))
        .map(([, target]) => `${page}: ${target}`),
    );
  expect(broken).toEqual([]);
});

test('every page that is cited is here', () => {
  const cited = /(?<![\w./-])((?:docs|design|spec|shared|infra|test)\/[\w./-]+\.(?:md|svg))\b/g;
  const absent = ours.flatMap((file) =>
    [...read(file).matchAll(cited)]
      .filter(([, page]) => !existsSync(page!))
      .map(([, page]) => `${file}: ${page}`),
  );
  expect(absent).toEqual([]);
});

test('every chapter that is cited is in its page', () => {
  const cited = /(docs\/[\w-]+\.md), "([^"]+)"/g;
  const absent = ours.flatMap((file) =>
    [...read(file).matchAll(cited)]
      .filter(
        ([, page, chapter]) =>
          ![`\n## ${chapter}\n`, `\n- **${chapter}**`].some((head) => read(page!).includes(head)),
      )
      .map(([text]) => `${file}: ${text}`),
  );
  expect(absent).toEqual([]);
});

test('the README is read in a few minutes', () => {
  expect(read('README.md').split('\n').length).toBeLessThanOrEqual(130);
});

test('the README says before the deployment what a new account lacks, and what images cost beside their GPUs', () => {
  const [, onAws = ''] = read('README.md').split('\n## On AWS\n');
  const [before = '', after = ''] = onAws.split('\nnpm run deploy\n');
  expect(before).toMatch(/Free plan[^]*quota[^]*verified for CloudFront[^]*"endpoint": "function-url"/);
  const costs = read('docs/benchmarks.md');
  const dollars = (row: RegExp) => Math.round(Number(row.exec(costs)?.[1]));
  expect(after).toContain(`$${dollars(/^\| \*\*sum\*\* \| \| \*\*([\d.]+)\*\* \|/m)}`);
  expect(after).toContain(`$${dollars(/^\| Images to the internet \| [^|]+\| ([\d.]+) \|/m)}`);
});
