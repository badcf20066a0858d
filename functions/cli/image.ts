// `npm run image`: builds the GPU hosts' machine image, waits for it, and then makes new hosts launch from it. Calls AWS's
// command line program, as the runbook does; after a failed build hosts keep the image that they have.

import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import * as z from 'zod';
import { CommandError } from './api.ts';
import { readDeployment } from './deployment.ts';
import { flag, SECONDS, type Values } from './flags.ts';
import { placeFlags, placeOf } from './place.ts';
import { runProgram } from './run.ts';
import { say } from './write.ts';

const program = {
  name: 'npm run image --',
  usage: '[--name NAME] [--region REGION] [--every SECONDS]',
  about:
    'Makes the image that GPU hosts are launched from, with Node and ComfyUI in it: about half an hour on a machine without a GPU, some $0.20, and what its snapshot costs a month. Needs a deployment with bakedImage, and the aws program.',
  flags: {
    ...placeFlags,
    every: flag(SECONDS, 'SECONDS', 'between two looks at how far it is', { default: 30 }),
  },
};

const run = promisify(execFile);

const started = z.object({ imageBuildVersionArn: z.string() });
const made = z.object({
  image: z.object({
    state: z.object({ status: z.string(), reason: z.string().optional() }),
    outputResources: z
      .object({ amis: z.array(z.object({ image: z.string().optional() })).default([]) })
      .optional(),
  }),
});
const stacks = z.object({
  Stacks: z.array(
    z.object({
      Outputs: z.array(z.object({ OutputKey: z.string(), OutputValue: z.string() })).default([]),
    }),
  ),
});

async function image(given: Partial<Values<typeof program.flags>>, every: number): Promise<void> {
  const { name, region } = placeOf(given, await readDeployment());
  const stack = `${name}-gpu-hosts`;
  const aws = async <Schema extends z.ZodType>(schema: Schema, ...args: string[]) => {
    const text = await callAws([...args, '--region', region, '--output', 'json']);
    return schema.parse(JSON.parse(text || '{}'));
  };

  const { Stacks } = await aws(stacks, 'cloudformation', 'describe-stacks', '--stack-name', stack).catch(
    (error: Error) => {
      if (!/does not exist/.test(error.message)) throw error;
      throw new CommandError(`There is no stack ${stack} in ${region}; npm run deploy`);
    },
  );
  const pipeline = Stacks[0]?.Outputs.find(({ OutputKey }) => OutputKey === 'ImagePipeline')?.OutputValue;
  if (pipeline === undefined)
    throw new CommandError(
      `${stack} makes no image: set bakedImage to true in cdk.json and deploy, then again`,
    );

  const { imageBuildVersionArn: arn } = await aws(
    started,
    'imagebuilder',
    'start-image-pipeline-execution',
    '--image-pipeline-arn',
    pipeline,
  );
  await say(`making ${arn}`);
  const ami = await untilMade(arn, every, () =>
    aws(made, 'imagebuilder', 'get-image', '--image-build-version-arn', arn),
  );
  const parameter = `/${name}/host-image`;
  const value = ['--name', parameter, '--value', ami, '--type', 'String', '--data-type', 'aws:ec2:image'];
  await aws(z.unknown(), 'ssm', 'put-parameter', '--overwrite', ...value);
  await say(`${ami} is what hosts are launched from, by ${parameter}. Those that run go on with theirs.`);
  await say(
    `Older images and their snapshots stay, and cost: aws ec2 describe-images --region ${region} --owners self`,
  );
}

/** @throws CommandError with Image Builder's reason */
async function untilMade(
  arn: string,
  every: number,
  poll: () => Promise<z.infer<typeof made>>,
): Promise<string> {
  let before = '';
  for (;;) {
    const { state, outputResources } = (await poll()).image;
    if (state.status !== before) await say(state.status.toLowerCase());
    before = state.status;
    if (['FAILED', 'CANCELLED', 'DELETED', 'DEPRECATED'].includes(state.status))
      throw new CommandError(
        `${arn} is ${state.status.toLowerCase()}${state.reason ? `: ${state.reason}` : ''}; hosts go on with the image that they have`,
      );
    if (state.status === 'AVAILABLE') {
      const ami = outputResources?.amis[0]?.image;
      if (ami === undefined)
        throw new CommandError(`${arn} is available, and names no image; run this again`);
      return ami;
    }
    await sleep(every * 1000);
  }
}

async function callAws(args: string[]): Promise<string> {
  try {
    return (await run('aws', args, { maxBuffer: 16e6 })).stdout;
  } catch (error) {
    const { code, stderr } = error as { code?: unknown; stderr?: string };
    if (code === 'ENOENT')
      throw new CommandError(
        'This needs the aws program: install it (https://aws.amazon.com/cli), then run this again',
      );
    throw new CommandError(
      `aws ${args.slice(0, 2).join(' ')}: ${stderr?.trim().split('\n').at(-1) ?? String(error)}`,
    );
  }
}

await runProgram(program, ({ given, values }) => image(given, values.every));
