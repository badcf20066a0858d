// `npm run doctor`: what is missing, before and after a deployment or for the API that runs here, each line ok or the
// next command to type. Only composes; exit code 0 where nothing is missing, else 1.

import { parseArgs } from 'node:util';
import { doctorSettings } from '../config/cli.ts';
import { AppError } from '../core/errors.ts';
import { explainAndExit } from '../runtime/exit.ts';
import { checkedKey, CommandError } from './api.ts';
import { findApi } from './connection.ts';
import { readDeployment } from './deployment.ts';
import { explainAws } from './doctor/aws.ts';
import { runChecks } from './doctor/check.ts';
import { deployedChecks } from './doctor/deployed.ts';
import { apiChecks } from './doctor/local.ts';
import { placeOf } from './place.ts';
import { say } from './write.ts';

const HELP = `npm run doctor -- [--aws | --local] [--name NAME] [--region REGION]

  Each line is ok, or what to type next. Exit code 1 while something is missing.

  --aws      the AWS account and what is deployed there
  --local    the API at API_URL, or the one that runs here
             neither: --aws with --name or --region, --local where API_URL is set or an API runs here, else --aws
  --name     of the deployment; else as cdk.json says
  --region   else as cdk.json says

  API_KEY    the key of the API that is asked
`;

function parse(argv: string[]) {
  const options = {
    aws: { type: 'boolean' },
    local: { type: 'boolean' },
    name: { type: 'string' },
    region: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  } as const;
  try {
    return parseArgs({ args: argv, options }).values;
  } catch (error) {
    throw new CommandError(`${(error as Error).message.split('. ')[0]}; --help lists the flags`);
  }
}

async function doctor(argv: string[]): Promise<number> {
  const flags = parse(argv);
  if (flags.help) {
    await say(HELP.trimEnd());
    return 0;
  }
  if (flags.aws && flags.local) throw new CommandError('--aws or --local, not both');
  const isOfAws = flags.aws || flags.name !== undefined || flags.region !== undefined;
  if (flags.local && isOfAws)
    throw new CommandError('--name and --region are of a deployment in AWS, not --local');
  const settings = doctorSettings(process.env);
  checkedKey('API_KEY', settings.API_KEY);
  const url = settings.API_URL ?? (isOfAws ? undefined : (await findApi(process.env))?.api.url);
  if (flags.local || (url !== undefined && !isOfAws)) {
    await say(
      url === undefined
        ? 'The API of this machine'
        : `The API at ${url} (npm run doctor -- --aws looks at AWS)`,
    );
    const healthy = await runChecks(
      apiChecks(url, settings.API_URL !== undefined, settings.API_KEY),
      say,
      explainAws,
    );
    return healthy ? 0 : 1;
  }
  const deployment = await readDeployment();
  const wanted = { ...deployment, ...placeOf(flags, deployment) };
  await say(`The deployment "${wanted.name}" in ${wanted.region}`);
  const isSaid = wanted.region === deployment.region;
  return (await runChecks(deployedChecks(wanted, settings, isSaid), say, explainAws)) ? 0 : 1;
}

try {
  // A check that was given up on must not keep the process.
  process.exit(await doctor(process.argv.slice(2)));
} catch (error) {
  if (!(error instanceof CommandError || error instanceof AppError)) explainAndExit(error);
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}
