// `npm run keys -- create|list|revoke|rotate|limits`: who may call the API. Only composes; exit code 0, or 1 with one sentence.

import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { drawKey, ownerName, type Scope, SCOPES, type ApiKey, isValid } from '../core/access.ts';
import { explainAndExit } from '../runtime/exit.ts';
import { programAsTyped } from '../runtime/package.ts';
import type { Keys } from '../store/keys.ts';
import { CommandError } from './api.ts';
import { askedLimits, limitOptions, limits } from './keys/limits.ts';
import { type OpenKeys, openKeys } from './keys/tables.ts';

/** What a person types for this program. */
const KEYS = programAsTyped('keys');

const HELP = `${KEYS} create|list|revoke|rotate|limits

  create --name NAME     draws a key and shows it, this once
           --owner NAME    whose jobs it makes and sees; else the key's own name
           --scopes LIST   of generate, read, admin; else generate,read
           --days N        valid for so long; else until it is revoked
  list                   all keys, without their secrets
  revoke ID              ends one, everywhere within a minute
  rotate ID              draws another of the same name, owner and scopes, and shows it; the old one is then yours to
                         revoke
  limits --owner NAME    an owner's own limits; with what follows, sets them, within half a minute everywhere
           --per-minute N, --unfinished N, --images-per-day N, --usd-per-month N, --upload-mb N
                           each a number, "unlimited", or "default" for what the API is set to

  --deployed             the keys of the deployment that cdk.json names; else those of WORKSPACE_PATH
  --deployment NAME, --region REGION
                         those of a deployment with another name, or in another region
`;

const options = {
  name: { type: 'string' },
  owner: { type: 'string' },
  scopes: { type: 'string', default: 'generate,read' },
  days: { type: 'string' },
  ...limitOptions,
  deployed: { type: 'boolean', default: false },
  deployment: { type: 'string' },
  region: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;

const DAY = 24 * 3_600_000;
const say = (line: string) => void process.stdout.write(`${line}\n`);

function parse(argv: string[]) {
  try {
    return parseArgs({ args: argv, options, allowPositionals: true });
  } catch (error) {
    throw new CommandError(`${(error as Error).message.split('. ')[0]}; --help lists the flags`);
  }
}

type Values = ReturnType<typeof parse>['values'];

async function run(argv: string[]): Promise<void> {
  const { values, positionals } = parse(argv);
  if (values.help) return void process.stdout.write(HELP);
  const [command, id, ...more] = positionals;
  const work = commandOf(command, id, more, values);
  const { deployed, deployment, region } = values;
  const isDeployed = deployed || deployment !== undefined || region !== undefined;
  const open = await openKeys(process.env, isDeployed ? { name: deployment, region } : undefined);
  try {
    await work(open);
  } finally {
    await open.close();
  }
}

/** Everything that is wrong with the command line is said before a table is opened. */
function commandOf(
  command: string | undefined,
  id: string | undefined,
  more: string[],
  values: Values,
): (open: OpenKeys) => Promise<void> {
  if (more.length > 0) throw new CommandError(`"${more[0]}" is one word too many; --help shows the commands`);
  switch (command) {
    case 'create': {
      if (id !== undefined) throw new CommandError(`create takes its name as --name ${id}`);
      const drawn = wanted(values);
      return ({ keys, now }) => create(keys, now(), drawn);
    }
    case 'list':
      return ({ keys, now }) => list(keys, now());
    case 'revoke':
    case 'rotate':
      if (!/^[0-9a-f]{16}$/.test(id ?? ''))
        throw new CommandError(`${command} takes the id of a key, 16 hex digits; list shows them`);
      return ({ keys, now }) => (command === 'revoke' ? revoke : rotate)(keys, now(), id!);
    case 'limits': {
      if (id !== undefined) throw new CommandError(`limits takes the owner as --owner ${id}`);
      const { owner } = values;
      if (owner === undefined) throw new CommandError('Whose limits? limits --owner NAME');
      const asked = askedLimits(values);
      return ({ owners, unpriced }) => limits(owners, checkedName('--owner', owner), asked, unpriced);
    }
    default:
      throw new CommandError(`${KEYS} takes create, list, revoke, rotate or limits; --help explains them`);
  }
}

type Wanted = Pick<ApiKey, 'name' | 'owner' | 'scopes'> & { days?: number };

function wanted({ name, owner = name, scopes, days }: Values): Wanted {
  if (name === undefined) throw new CommandError('Whose key is it? create --name NAME');
  checkedName('--name', name);
  checkedName('--owner', owner!);
  const asked = scopes.split(',').map((one) => one.trim());
  const unknown = asked.find((one) => !SCOPES.includes(one as Scope));
  if (unknown !== undefined)
    throw new CommandError(`--scopes takes ${SCOPES.join(', ')}, separated by commas; "${unknown}" is none`);
  const many = days === undefined ? undefined : Number(days);
  if (many !== undefined && !(many > 0 && many <= 3650))
    throw new CommandError(`--days takes a number above 0, at most 3650; it is "${days}"`);
  return {
    name,
    owner: owner!,
    scopes: SCOPES.filter((scope) => asked.includes(scope)),
    ...(many === undefined ? {} : { days: many }),
  };
}

function checkedName(flag: string, value: string): string {
  const parsed = ownerName.safeParse(value);
  if (!parsed.success) throw new CommandError(`${flag} ${parsed.error.issues[0]!.message}`);
  return value;
}

async function create(keys: Keys, now: number, { days, ...whose }: Wanted): Promise<void> {
  const { key, keyId, hash } = drawKey(randomBytes);
  const until = days === undefined ? {} : { validUntil: now + days * DAY };
  if (!(await keys.add({ keyId, hash, ...whose, createdAt: now, ...until })))
    throw new CommandError('A key of this id is there already; try again');
  process.stderr.write(
    `Key ${keyId} of ${whose.owner} (${whose.scopes.join(', ')}). It is shown this once:\n`,
  );
  say(key);
}

async function rotate(keys: Keys, now: number, keyId: string): Promise<void> {
  const old = await keys.read(keyId);
  if (!old || !isValid(old, now)) throw new CommandError(`There is no valid key ${keyId}; list shows them`);
  const { name, owner, scopes, createdAt, validUntil } = old;
  // As long from now as the old one was given.
  const days = validUntil === undefined ? {} : { days: (validUntil - createdAt) / DAY };
  await create(keys, now, { name, owner, scopes, ...days });
  process.stderr.write(`The old one goes on: ${KEYS} revoke ${keyId}\n`);
}

async function revoke(keys: Keys, now: number, keyId: string): Promise<void> {
  if (!(await keys.revoke(keyId, now))) throw new CommandError(`There is no key ${keyId}; list shows them`);
  process.stderr.write(`Key ${keyId} ends, everywhere within a minute\n`);
}

async function list(keys: Keys, now: number): Promise<void> {
  const rows = (await keys.list()).map((key) => [
    key.keyId,
    key.name,
    key.owner,
    key.scopes.join(','),
    new Date(key.createdAt).toISOString().slice(0, 10),
    stateOf(key, now),
  ]);
  const table = [['id', 'name', 'owner', 'scopes', 'made', 'state'], ...rows];
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  for (const row of table)
    say(
      row
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join('  ')
        .trimEnd(),
    );
}

function stateOf({ revokedAt, validUntil }: ApiKey, now: number): string {
  const day = (time: number) => new Date(time).toISOString().slice(0, 10);
  if (revokedAt !== undefined) return `revoked ${day(revokedAt)}`;
  if (validUntil === undefined) return 'valid';
  return now < validUntil ? `valid until ${day(validUntil)}` : `ended ${day(validUntil)}`;
}

try {
  await run(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof CommandError)) explainAndExit(error);
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
