// `npm run image` as a process. Image Builder cannot be had here: the aws program is a stand-in that answers as AWS's
// reference says and keeps what it was asked.

import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { packageRoot } from '../../functions/runtime/workflows.ts';
import { build, startCommand } from '../support/program.ts';

let folder: string;
beforeAll(async () => {
  await build();
  folder = await mkdtemp(join(tmpdir(), 'image-'));
}, 60_000);
afterAll(() => rm(folder, { recursive: true, force: true }));
beforeEach(() => rm(join(folder, 'asked'), { force: true }));

const ARN = 'arn:aws:imagebuilder:us-east-1:111122223333:image/comfyui-gpu-host/1.0.0/1';
const OUTPUT = { OutputKey: 'ImagePipeline', OutputValue: 'arn:pipeline' };

/** @param states that it has, one look after another */
async function image(states: object[], outputs: object[] | 'no stack' = [OUTPUT], args: string[] = []) {
  const answers = states.map((image) => `'${JSON.stringify({ image })}'`).join(' ');
  const described =
    outputs === 'no stack'
      ? `echo $'\\nAn error occurred (ValidationError) when calling the DescribeStacks operation: Stack with id comfyui-gpu-hosts does not exist' >&2; exit 254`
      : `echo '${JSON.stringify({ Stacks: [{ Outputs: outputs }] })}'`;
  await writeFile(
    join(folder, 'aws'),
    `#!/bin/bash
echo "$*" >>${folder}/asked
looks=$(grep -c get-image ${folder}/asked)
states=(${answers})
case "$1 $2" in
  'cloudformation describe-stacks') ${described} ;;
  'imagebuilder start-image-pipeline-execution') echo '{"imageBuildVersionArn":"${ARN}"}' ;;
  'imagebuilder get-image') echo "\${states[looks - 1]}" ;;
  'ssm put-parameter') echo '{"Version":2}' ;;
  *) echo "what is $*" >&2; exit 1 ;;
esac
`,
  );
  await chmod(join(folder, 'aws'), 0o755);
  const program = startCommand(
    process.execPath,
    [join(packageRoot(), '.build/image.mjs'), '--every', '0.01', ...args],
    { PATH: `${folder}:${process.env['PATH']}` },
  );
  const code = await program.ended;
  const asked = await readFile(join(folder, 'asked'), 'utf8').catch(() => '');
  return { code, said: program.output(), asked: asked.trim().split('\n') };
}

const state = (status: string, more: object = {}) => ({ state: { status }, ...more });

test('it is made, waited for, and then what hosts are launched from', async () => {
  const amis = { outputResources: { amis: [{ region: 'us-east-1', image: 'ami-0123456789abcdef0' }] } };
  const { code, said, asked } = await image([state('BUILDING'), state('BUILDING'), state('AVAILABLE', amis)]);
  expect(said).toMatch(
    /^making arn\S+\nbuilding\navailable\nami-0123456789abcdef0 is what hosts are launched from, by \/comfyui\/host-image\./,
  );
  expect(code).toBe(0);
  expect(asked.at(-1)).toBe(
    'ssm put-parameter --overwrite --name /comfyui/host-image --value ami-0123456789abcdef0 --type String --data-type aws:ec2:image --region us-east-1 --output json',
  );
});

test('one that fails leaves hosts with what they have, and says why', async () => {
  const failed = { state: { status: 'FAILED', reason: 'the step Install failed' } };
  const { code, said, asked } = await image([failed]);
  expect(said).toContain('is failed: the step Install failed');
  expect(code).toBe(1);
  expect(asked.join('\n')).not.toContain('put-parameter');
});

test('a deployment without it is told what to do', async () => {
  const { code, said } = await image([], []);
  expect(said).toMatch(/^comfyui-gpu-hosts .*bakedImage.*\n$/);
  expect(code).toBe(1);
});

test('before any deployment it says to deploy', async () => {
  const { code, said } = await image([], 'no stack');
  expect(said).toMatch(/^.*comfyui-gpu-hosts in us-east-1; npm run deploy\n$/);
  expect(code).toBe(1);
});

test('bad flags are refused in a sentence', async () => {
  expect((await image([], [], ['--every', 'never'])).said).toBe(
    '--every must be a number from 0.001 to 3600; it is "never"\n',
  );
  expect((await image([], [], ['--nothing'])).said).toMatch(
    /^Unknown flag --nothing; npm run image -- takes --name, --region, --every and --help\n$/,
  );
});
