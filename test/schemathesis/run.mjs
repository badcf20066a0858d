// The product against its own description: starts it as `npm start` does, with keys asked for and the simulated ComfyUI
// at full speed, and lets schemathesis try every operation with a key. Ends what it started; exit code 0 or 1.
// `node test/schemathesis/run.mjs`; schemathesis 4.32.5 must be on the PATH, or be named by SCHEMATHESIS.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');
const workspace = await mkdtemp(join(tmpdir(), 'schemathesis-'));
const { PATH, HOME } = process.env;
const env = {
  PATH,
  HOME,
  WORKSPACE_PATH: workspace,
  API_PORT: '0',
  API_KEYS: 'required',
  COMFYUI_MODE: 'simulated',
  SIMULATED_STEP_MS: '0',
  // It is in a hurry; that there are limits is tested elsewhere.
  RATE_PER_MINUTE: '60000',
  READS_PER_MINUTE: '60000',
  OWNER_MAX_WAITING: '5000',
};

/** Resolves with what it printed when that matches, rejects when it ended before. */
function until(program, pattern) {
  let output = '';
  return new Promise((resolve, reject) => {
    const take = (chunk) => {
      output += chunk;
      const match = pattern.exec(output);
      if (match) resolve(match);
    };
    program.stdout.on('data', take);
    program.stderr.on('data', take);
    program.once('error', reject);
    program.once('close', () => reject(new Error(`It ended before it said ${pattern}:\n${output}`)));
  });
}

/** All checks, but for what the document cannot say: of numbers as text, and of images that only the caller has. */
function configOf(key) {
  return `
hooks = ${JSON.stringify(join(import.meta.dirname, 'hooks.py'))}

[auth.openapi.apiKey]
api_key = "${key}"

[checks]
negative_data_rejection.enabled = false
positive_data_acceptance.enabled = false

# DELETE there is DELETE /api/queue/{id}, of a job that there is not.
[[operations]]
include-path = "/api/queue/clear"
[operations.checks]
unsupported_method.enabled = false
`;
}

const start = (name, ...args) =>
  spawn(process.execPath, [join(root, '.build', `${name}.mjs`), ...args], { env });

const product = start('local');
let code = 1;
try {
  const [, url] = await until(product, /REST API\s+(http:\S+)[^]*Stop: Ctrl-C/);
  const drawing = start('keys', 'create', '--name', 'schemathesis', '--scopes', 'generate,read');
  const [key] = await until(drawing, /ck_[0-9a-f]{16}_[\w-]{43}/);
  await writeFile(join(workspace, 'schemathesis.toml'), configOf(key));
  const schemathesis = spawn(
    process.env['SCHEMATHESIS'] ?? 'schemathesis',
    [
      'run',
      `${url}/openapi.json`,
      '--max-examples=25',
      // Two threads of Python 3.11 now and then trip over each other in ast.parse, and a seed repeats nothing.
      '--workers=1',
      '--seed=1',
      // A stream of events ends with its job, which may wait for others.
      '--request-timeout=60',
      ...process.argv.slice(2),
    ],
    { cwd: workspace, env: { PATH, HOME }, stdio: ['ignore', 'inherit', 'inherit'] },
  );
  const [ended] = await once(schemathesis, 'close');
  code = ended === 0 ? 0 : 1;
} catch (error) {
  process.stderr.write(`${error.message}\n`);
} finally {
  if (product.exitCode === null) {
    product.kill('SIGTERM');
    await once(product, 'close');
  }
  await rm(workspace, { recursive: true, force: true, maxRetries: 10 });
}
process.stdout.write(`schemathesis: exit code ${code}\n`);
process.exit(code);
