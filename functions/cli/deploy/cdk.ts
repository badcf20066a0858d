// CDK's own program, of the version that package.json pins. Its output and its questions are the terminal's.

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { packageRoot } from '../../runtime/workflows.ts';
import { CommandError } from '../api.ts';

/** @throws CommandError where it fails; it has said why */
export async function runCdk(args: string[]): Promise<void> {
  const cdk = join(packageRoot(), 'node_modules', 'aws-cdk', 'bin', 'cdk');
  const child = spawn(process.execPath, [cdk, ...args], { cwd: packageRoot(), stdio: 'inherit' });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) throw new CommandError(`cdk ${args[0]} failed; npm run doctor says what an account lacks`);
}
