// API keys for operators: listed, made and revoked by the same rules as `npm run keys`. Who may make a key may do everything that
// a key may: it is left in the log, by whom and for whom.

import {
  type ApiKey,
  isOwnerName,
  isValid,
  newKey,
  OWNER_NAME,
  type Scope,
  SCOPES,
} from '../../core/access.ts';
import { AppError } from '../../core/errors.ts';
import { invalid } from '../../core/inputs.ts';
import { iso } from '../../core/job-view.ts';
import { json } from '../http/answers.ts';
import { object, part } from '../http/parameters.ts';
import { route } from '../http/route.ts';
import { byOf } from './by.ts';
import type { AdminDeps } from './deps.ts';

const DAYS_AT_MOST = 3650;
const FIELDS = ['name', 'owner', 'scopes', 'days'];

const BODY = {
  type: 'object',
  required: ['name'],
  additionalProperties: false,
  properties: {
    name: { type: 'string', description: 'Whose key it is' },
    owner: { type: 'string', description: 'Whose jobs it makes and sees; else those of its name' },
    scopes: { type: 'array', items: { enum: [...SCOPES] }, default: ['generate', 'read'], minItems: 1 },
    days: {
      type: 'number',
      maximum: DAYS_AT_MOST,
      description: 'Valid for so long; else until it is revoked',
    },
  },
};

const keyId = part('keyId', {
  description: 'As the list gives it',
  schema: { type: 'string', pattern: '^[0-9a-f]{16}$' },
});

export function keyRoutes({ keys, log, now, random }: AdminDeps) {
  return [
    route(
      {
        route: 'GET /admin/keys',
        id: 'adminKeys',
        tag: 'Operations',
        summary: 'API keys, without their secrets',
        scope: 'admin',
        answers: { 200: json('All that there are; one that has ended, for 90 days', 'Keys') },
      },
      async () => {
        const at = now();
        return { keys: (await keys.list()).map((key) => keyView(key, at)) };
      },
    ),

    route(
      {
        route: 'POST /admin/keys',
        id: 'createKey',
        tag: 'Operations',
        summary: 'Make an API key',
        description: 'It is in this answer and nowhere else: only its hash is stored.',
        scope: 'admin',
        body: object(BODY),
        answers: { 201: json('Made', 'NewKey') },
        errors: ['missing_field', 'unknown_field', 'invalid_field', 'invalid_json'],
      },
      async (c, { body }) => {
        const at = now();
        const { key, item } = newKey(askedKey(body), at, random);
        if (!(await keys.add(item))) throw new Error('A key of this id is there already');
        log.info('key.created', { keyId: item.keyId, owner: item.owner, by: byOf(c.get('caller')) });
        c.header('Cache-Control', 'no-store');
        return { ...keyView(item, at), key };
      },
    ),

    route(
      {
        route: 'DELETE /admin/keys/:keyId',
        id: 'revokeKey',
        tag: 'Operations',
        summary: 'Revoke an API key',
        description: 'It ends everywhere within a minute. Revoked twice is revoked.',
        scope: 'admin',
        parameters: { keyId },
        answers: { 200: json('Revoked', 'Key') },
        errors: ['key_not_found'],
      },
      async (c, asked) => {
        const revoked = await keys.revoke(asked.keyId, now());
        const key = revoked ? await keys.read(asked.keyId) : undefined;
        if (!key) throw new AppError('key_not_found', 'There is no such key');
        log.info('key.revoked', { keyId: key.keyId, owner: key.owner, by: byOf(c.get('caller')) });
        return keyView(key, now());
      },
    ),
  ];
}

function askedKey(body: Record<string, unknown>) {
  const unknown = Object.keys(body).find((field) => !FIELDS.includes(field));
  if (unknown !== undefined)
    throw new AppError('unknown_field', `Unknown field: ${unknown}; a key has ${FIELDS.join(', ')}`, {
      field: unknown,
    });
  const { name, owner = name, scopes = ['generate', 'read'], days } = body;
  if (name === undefined)
    throw new AppError('missing_field', 'Missing required field: name', { field: 'name' });
  for (const [field, value] of Object.entries({ name, owner }))
    if (typeof value !== 'string' || !isOwnerName(value)) throw invalid(field, OWNER_NAME);
  const isScope = (scope: unknown): scope is Scope => SCOPES.some((one) => one === scope);
  if (!Array.isArray(scopes) || scopes.length === 0 || !scopes.every(isScope))
    throw invalid('scopes', `must be a list of ${SCOPES.join(', ')}`);
  if (days !== undefined && (typeof days !== 'number' || !(days > 0 && days <= DAYS_AT_MOST)))
    throw invalid('days', `must be a number above 0, at most ${DAYS_AT_MOST}`);
  return { name: name as string, owner: owner as string, scopes, ...(days !== undefined && { days }) };
}

function keyView(key: ApiKey, now: number) {
  return {
    key_id: key.keyId,
    name: key.name,
    owner: key.owner,
    scopes: key.scopes,
    created_at: iso(key.createdAt),
    valid_until: iso(key.validUntil),
    revoked_at: iso(key.revokedAt),
    valid: isValid(key, now),
  };
}
