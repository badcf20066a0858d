// The command line of the smoke test, checked before anything is asked.

import { parseArgs } from 'node:util';
import { shownOf } from '../../config/setting.ts';
import { checkedKey, CommandError } from '../api.ts';

export const HELP = `npm run smoke -- [--url URL | --deployed] [flags]

  Asks an API all that an endpoint may get wrong, and has each workflow make one small image. Each line is ok, or what
  to do. It removes what it made. Exit code 1 where a line is not ok.

  --url URL          which API; else API_URL, else the one that runs here
  --key KEY          of the caller; else API_KEY
  --other-key KEY    of another owner, without the scope admin: that one's answers are not the caller's
  --deployed         the deployment in AWS, by its stacks; draws two keys for a quarter of an hour and removes them
    --name NAME        of the deployment; else as cdk.json says
    --region REGION    else as cdk.json says
  --webhook-url URL  a receiver of yours (https) for one webhook; without it one goes where it must be refused
  --minutes N        ends after so long, from 1 to 60, and ten seconds to remove what it made; else 10: the first GPU host takes
                     some minutes to come up
`;

const options = {
  url: { type: 'string' },
  key: { type: 'string' },
  'other-key': { type: 'string' },
  deployed: { type: 'boolean', default: false },
  name: { type: 'string' },
  region: { type: 'string' },
  'webhook-url': { type: 'string' },
  minutes: { type: 'string', default: '10' },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

export interface Options {
  url: string | undefined;
  key: string | undefined;
  otherKey: string | undefined;
  deployed: boolean;
  name: string | undefined;
  region: string | undefined;
  webhookUrl: string | undefined;
  minutes: number;
  help: boolean;
}

/** @throws CommandError */
export function parseOptions(argv: string[]): Options {
  const { 'other-key': otherKey, 'webhook-url': webhookUrl, minutes, ...values } = parse(argv);
  const flags = {
    url: undefined,
    key: undefined,
    name: undefined,
    region: undefined,
    ...values,
    otherKey,
    webhookUrl,
  };
  if (flags.deployed && (flags.url !== undefined || flags.key !== undefined || otherKey !== undefined))
    throw new CommandError(
      '--deployed finds the address and draws keys itself: leave out --url, --key and --other-key',
    );
  if (!flags.deployed && (flags.name !== undefined || flags.region !== undefined))
    throw new CommandError('--name and --region are those of a deployment: add --deployed');
  for (const [flag, value] of [
    ['--url', flags.url],
    ['--webhook-url', webhookUrl],
  ] as const)
    if (value !== undefined && !/^https?:$/.test(URL.canParse(value) ? new URL(value).protocol : ''))
      throw new CommandError(
        `${flag} takes an address such as https://images.example.com; it is "${shownOf(value)}"`,
      );
  const {
    username = '',
    password = '',
    search = '',
    hash = '',
  } = flags.url === undefined ? {} : new URL(flags.url);
  if (username + password + search + hash !== '')
    throw new CommandError(
      '--url takes an address without a user, a query or a fragment; a key goes to --key',
    );
  checkedKey('--key', flags.key);
  checkedKey('--other-key', otherKey);
  const many = minutes.trim() === '' ? NaN : Number(minutes);
  if (!(many >= 1 && many <= 60))
    throw new CommandError(`--minutes takes a number from 1 to 60; it is "${minutes}"`);
  return { ...flags, url: flags.url?.replace(/\/+$/, ''), minutes: many };
}

function parse(argv: string[]) {
  try {
    return parseArgs({ args: argv, options }).values;
  } catch (error) {
    // Without -- before them npm takes the flags for its own, and leaves their values.
    throw new CommandError(
      `${(error as Error).message.split('. ')[0]}; npm run smoke -- --help lists the flags`,
    );
  }
}
