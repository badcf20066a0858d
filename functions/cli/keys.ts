// `npm run keys -- create|list|revoke|rotate|limits`: manages API keys. Only composes; exit code 0, or 1 with one sentence.

import { randomBytes } from 'node:crypto';
import { isOwnerName, OWNER_NAME, type Scope, SCOPES, type ApiKey, isValid, newKey } from '../core/access.ts';
import { programAsTyped } from '../runtime/package.ts';
import type { Keys } from '../store/keys.ts';
import { CommandError } from './api.ts';
import { flag, type Kind, type Line, listOf, number, toggle, type Values } from './flags.ts';
import { askedLimits, limitFlags, limits } from './keys/limits.ts';
import { type OpenKeys, openKeys } from './keys/tables.ts';
import { NAME, REGION } from './place.ts';
import { runProgram } from './run.ts';
import { inColumns, say } from './write.ts';

/** The program as the user types it. */
const KEYS = programAsTyped('keys');

const OWNER: Kind<string> = {
  must: OWNER_NAME.replace('must ', ''),
  read: (text) => (isOwnerName(text) ? text : undefined),
};
const SCOPE_LIST = listOf(`${SCOPES.join(', ')} or several`, {
  read: (text) => SCOPES.find((scope) => scope === text),
});

const create = ['create'];
const program = {
  name: KEYS,
  usage: 'create|list|revoke|rotate|limits',
  about: 'Who may call the API, where it asks for keys.',
  commands: {
    create: { means: 'draws a key and shows it, this once' },
    list: { means: 'all keys, without their secrets' },
    revoke: { word: 'ID', means: 'ends one, everywhere within a minute' },
    rotate: {
      word: 'ID',
      means:
        'draws another of the same name, owner and scopes, and shows it; the old one is then yours to revoke',
    },
    limits: {
      means:
        'an owner\'s own limits; with flags, sets them, within half a minute everywhere: each to a number, "unlimited", or "default" for what the API is set to',
    },
  },
  flags: {
    name: flag(OWNER, 'NAME', 'whose key it is', { of: create }),
    owner: flag(OWNER, 'NAME', 'whose jobs the key makes and sees, else those of its name; or whose limits', {
      of: ['create', 'limits'],
    }),
    scopes: flag(SCOPE_LIST, 'LIST', `of ${SCOPES.join(', ')}`, {
      of: create,
      default: ['generate', 'read'] as Scope[],
    }),
    days: flag(number(0.001, 3650), 'N', 'valid for so long', {
      of: create,
      otherwise: 'until it is revoked',
    }),
    ...limitFlags,
    deployed: toggle('the keys of the deployment that cdk.json names; else those of WORKSPACE_PATH'),
    deployment: flag(NAME, 'NAME', 'those of a deployment with another name'),
    region: flag(REGION, 'REGION', 'those of a deployment in another region'),
  },
};
type Given = Partial<Values<typeof program.flags>>;

const DAY = 24 * 3_600_000;

async function keys({ command, words, given, values }: Line<typeof program.flags>): Promise<void> {
  const work = commandOf(command, words[0], given, values.scopes);
  const { deployed, deployment, region } = given;
  const isDeployed = deployed || deployment !== undefined || region !== undefined;
  const open = await openKeys(process.env, isDeployed ? { name: deployment, region } : undefined);
  try {
    await work(open);
  } finally {
    await open.close();
  }
}

/** Refuses a wrong command line before a table is opened. */
function commandOf(
  command: string,
  id: string | undefined,
  given: Given,
  scopes: readonly Scope[],
): (open: OpenKeys) => Promise<void> {
  const { name, owner = name, days } = given;
  switch (command) {
    case 'create':
      if (name === undefined || owner === undefined)
        throw new CommandError('Whose key is it? create --name NAME');
      return (open) => add(open.keys, open.now(), { name, owner, scopes, days });
    case 'list':
      return (open) => list(open.keys, open.now());
    case 'limits':
      if (owner === undefined) throw new CommandError('Whose limits? limits --owner NAME');
      return (open) => limits(open.owners, owner, askedLimits(given), open.unpriced);
    default:
      if (id === undefined || !/^[0-9a-f]{16}$/.test(id))
        throw new CommandError(`${command} takes the id of a key, 16 hex digits; list shows them`);
      return (open) => (command === 'revoke' ? revoke : rotate)(open.keys, open.now(), id);
  }
}

interface Wanted {
  name: string;
  owner: string;
  scopes: readonly Scope[];
  days: number | undefined;
}

async function add(keys: Keys, now: number, wanted: Wanted): Promise<void> {
  const { key, item } = newKey(wanted, now, randomBytes);
  if (!(await keys.add(item))) throw new CommandError('A key of this id is there already; try again');
  process.stderr.write(
    `Key ${item.keyId} of ${item.owner} (${item.scopes.join(', ')}). It is shown this once:\n`,
  );
  await say(key);
}

async function rotate(keys: Keys, now: number, keyId: string): Promise<void> {
  const old = await keys.read(keyId);
  if (!old || !isValid(old, now)) throw new CommandError(`There is no valid key ${keyId}; list shows them`);
  const { name, owner, scopes, createdAt, validUntil } = old;
  // The new key is valid for as long as the old one was at its creation.
  const days = validUntil === undefined ? undefined : (validUntil - createdAt) / DAY;
  await add(keys, now, { name, owner, scopes, days });
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
  for (const line of inColumns([['id', 'name', 'owner', 'scopes', 'made', 'state'], ...rows]))
    await say(line);
}

function stateOf({ revokedAt, validUntil }: ApiKey, now: number): string {
  const day = (time: number) => new Date(time).toISOString().slice(0, 10);
  if (revokedAt !== undefined) return `revoked ${day(revokedAt)}`;
  if (validUntil === undefined) return 'valid';
  return now < validUntil ? `valid until ${day(validUntil)}` : `ended ${day(validUntil)}`;
}

await runProgram(program, keys);
