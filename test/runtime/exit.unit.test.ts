// One line about what to change; a stack trace only for what is a mistake of ours.

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { AppError } from '../../functions/core/errors.ts';
import { explainAndExit } from '../../functions/runtime/exit.ts';

let said: string;
beforeEach(() => {
  said = '';
  vi.spyOn(process, 'exit').mockImplementation((code) => {
    throw new Error(`exit ${code}`);
  });
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    said += String(text);
    return true;
  });
});
afterEach(() => vi.restoreAllMocks());

const failed = (code: string) => Object.assign(new Error(`spawn ${code}`), { code });
const ofPlaces = Object.assign(new Error('refused'), { $metadata: {} });

test.each([
  [new AppError('bad_setting', 'API_PORT must be a port'), /^API_PORT must be a port\n$/],
  [failed('EMFILE'), /^.*ulimit -n\n$/],
  [failed('ENFILE'), /^.*ulimit -n\n$/],
  // Connecting to the tables, too, takes a descriptor.
  [Object.assign(failed('EMFILE'), ofPlaces), /^.*ulimit -n\n$/],
])('%s is explained', (error, line) => {
  expect(() => explainAndExit(error)).toThrow('exit 1');
  expect(said).toMatch(line);
});

test.each([failed('EIO'), new TypeError('x of http://ann:hunter2@a.example is not a function')])(
  '%s has its stack, without the secret in it',
  (error) => {
    expect(() => explainAndExit(error)).toThrow('exit 1');
    expect(said).toContain('exit.unit.test.ts');
    expect(said).not.toContain('hunter2');
  },
);

test('a process with AWS settings is referred to them, and no other is', () => {
  expect(() => explainAndExit(ofPlaces)).toThrow('exit 1');
  expect(said).toMatch(/: refused\. See AWS_ENDPOINT_URL_DYNAMODB,.*\n$/);
  said = '';
  expect(() => explainAndExit(ofPlaces, 'the folder')).toThrow('exit 1');
  expect(said).toMatch(/^.*: refused\. See the folder\n$/);
});
