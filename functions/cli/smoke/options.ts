// The command line of the smoke test, checked before any request.

import { valueInWords } from '../../core/secrets.ts';
import { CommandError } from '../api.ts';
import { flag, KEY, type Kind, type Line, number, toggle, type Values } from '../flags.ts';
import { placeFlags } from '../place.ts';

const ADDRESS: Kind<string> = {
  must: 'be an address such as https://images.example.com',
  read: (text) =>
    /^https?:$/.test(URL.canParse(text) ? new URL(text).protocol : '') ? text.replace(/\/+$/, '') : undefined,
};

export const program = {
  name: 'npm run smoke --',
  usage: '[--url URL | --deployed] [flags]',
  about:
    'Asks an API all that an endpoint may get wrong, and has each workflow make one small image. Each line is ok, or what to do. It removes what it made. Exit code 1 where a line is not ok.',
  flags: {
    url: flag(ADDRESS, 'URL', 'which API', { env: 'API_URL', otherwise: 'the one that runs here' }),
    key: flag(KEY, 'KEY', 'of the caller', { env: 'API_KEY', secret: true }),
    otherKey: flag(
      KEY,
      'KEY',
      "of another owner, without the scope admin: that one's answers are not the caller's",
      {
        secret: true,
      },
    ),
    deployed: toggle(
      'the deployment in AWS, by its stacks; draws two keys for a quarter of an hour and removes them',
    ),
    ...placeFlags,
    webhookUrl: flag(ADDRESS, 'URL', 'a receiver of yours (https) for one webhook', {
      otherwise: 'one goes where it must be refused',
    }),
    minutes: flag(
      number(1, 60),
      'N',
      'ends after so long and ten seconds to remove what it made: the first GPU host takes some minutes to come up',
      { default: 10 },
    ),
  },
};

export type Options = Values<typeof program.flags>;

/** @throws CommandError if flags contradict each other */
export function checkedOptions({ given, values }: Line<typeof program.flags>): Options {
  if (values.deployed && (given.url ?? given.key ?? given.otherKey) !== undefined)
    throw new CommandError(
      '--deployed finds the address and draws keys itself: leave out --url, --key and --other-key',
    );
  if (!values.deployed && (given.name ?? given.region) !== undefined)
    throw new CommandError('--name and --region are those of a deployment: add --deployed');
  const { url = 'http://none' } = values;
  const { username, password, search, hash } = new URL(url);
  if (username + password + search + hash !== '')
    throw new CommandError(
      `--url takes an address without a user, a query or a fragment; ${valueInWords(url)}; a key goes to --key`,
    );
  return values;
}
