// The AWS CLI, version 2: the first has no `logs tail`. .ci/run installs it.

import { execFile, spawnSync } from 'node:child_process';

/** Tests that need it say so where it is absent: `describe.skipIf(!hasCli)`. */
export const hasCli = (spawnSync('aws', ['--version'], { encoding: 'utf8' }).stdout ?? '').startsWith(
  'aws-cli/2.',
);

/** It exits with 252 where it does not understand what it is asked, before it asks anybody. */
export const NOT_UNDERSTOOD = 252;

export interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

export function runBash(script: string, env: Record<string, string>): Promise<Ended> {
  return new Promise((resolve) => {
    const options = { env: { PATH: process.env['PATH']!, ...env }, timeout: 400_000 };
    const bash = execFile(
      'bash',
      ['--norc', '-euo', 'pipefail', '-c', script],
      options,
      (error, stdout, stderr) => {
        resolve({ code: error ? Number(error.code ?? -1) : 0, stdout, stderr });
      },
    );
    // Who asks a person gets no answer.
    bash.stdin!.end();
  });
}
