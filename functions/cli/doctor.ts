// `npm run doctor`: checks what a deployment needs before and after it, or the API that runs here. Each line is ok or the
// next command to type. Only composes; exit code 0 if nothing is missing, else 1.

import { doctorSettings } from '../config/cli.ts';
import { CommandError } from './api.ts';
import { findApi } from './connection.ts';
import { readDeployment } from './deployment.ts';
import { explainAws } from './doctor/aws.ts';
import { runChecks } from './doctor/check.ts';
import { deployedChecks } from './doctor/deployed.ts';
import { apiChecks } from './doctor/local.ts';
import { toggle, type Values } from './flags.ts';
import { placeFlags, placeOf } from './place.ts';
import { runProgram } from './run.ts';
import { say } from './write.ts';

const program = {
  name: 'npm run doctor --',
  usage: '[--aws | --local] [--name NAME] [--region REGION]',
  about: 'Each line is ok, or what to type next. Exit code 1 while something is missing.',
  flags: {
    aws: toggle('the AWS account and what is deployed there'),
    local: toggle('the API at API_URL, or the one that runs here'),
    ...placeFlags,
  },
  notes: [
    'Without --aws and --local: --aws with --name or --region, --local where API_URL is set or an API runs here, else --aws.',
    'API_KEY is the key of the API that is asked.',
  ],
};

async function doctor(flags: Partial<Values<typeof program.flags>>): Promise<number> {
  if (flags.aws && flags.local) throw new CommandError('--aws or --local, not both');
  const isOfAws = flags.aws || flags.name !== undefined || flags.region !== undefined;
  if (flags.local && isOfAws)
    throw new CommandError('--name and --region are of a deployment in AWS, not --local');
  const settings = doctorSettings(process.env);
  const url = settings.API_URL ?? (isOfAws ? undefined : (await findApi(process.env))?.api.url);
  if (flags.local || (url !== undefined && !isOfAws)) {
    const at = url === undefined ? 'of this machine' : `at ${url} (npm run doctor -- --aws looks at AWS)`;
    await say(`The API ${at}`);
    const checks = apiChecks(url, settings.API_URL !== undefined, settings.API_KEY);
    return (await runChecks(checks, say, explainAws)) ? 0 : 1;
  }
  const deployment = await readDeployment();
  const wanted = { ...deployment, ...placeOf(flags, deployment) };
  await say(`The deployment "${wanted.name}" in ${wanted.region}`);
  const isSaid = wanted.region === deployment.region;
  return (await runChecks(deployedChecks(wanted, settings, isSaid), say, explainAws)) ? 0 : 1;
}

await runProgram(program, ({ given }) => doctor(given));
