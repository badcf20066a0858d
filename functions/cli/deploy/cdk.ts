// Runs CDK's program, in the version that package.json pins, with the terminal as its input and output.

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { packageRoot } from '../../runtime/workflows.ts';
import { CommandError } from '../api.ts';

/** @throws CommandError if CDK fails; CDK has printed the reason */
export async function runCdk(args: string[]): Promise<void> {
  const cdk = join(packageRoot(), 'node_modules', 'aws-cdk', 'bin', 'cdk');
  const child = spawn(process.execPath, [cdk, ...args], { cwd: packageRoot(), stdio: 'inherit' });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) throw new CommandError(`cdk ${args[0]} failed; npm run doctor says what an account lacks`);
}
