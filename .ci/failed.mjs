// What failed in a run of vitest, from its JSON report: `failed.mjs files REPORT` prints the files, one a line, relative to
// the working directory; `failed.mjs tests REPORT` each failed test by name with the first lines of its error.

import { readFileSync } from 'node:fs';
import { relative } from 'node:path';

const ERROR_LINES = 12;

const [what, report] = process.argv.slice(2);
const failed = JSON.parse(readFileSync(report, 'utf8')).testResults.filter(
  ({ status }) => status === 'failed',
);
for (const { name, message, assertionResults } of failed) {
  const file = relative(process.cwd(), name);
  if (what === 'files') {
    console.log(file);
    continue;
  }
  const tests = assertionResults.filter(({ status }) => status === 'failed');
  for (const { fullName, failureMessages } of tests)
    print(`${file}: ${fullName}`, failureMessages.join('\n'));
  // Its hooks or imports.
  if (tests.length === 0) print(file, message);
}

function print(title, error) {
  console.log(`  ${title}`);
  for (const line of error.split('\n').slice(0, ERROR_LINES)) console.log(`    ${line}`);
}
