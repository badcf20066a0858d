// Callers and their scopes. A key is `ck_<id>_<secret>`: the id finds it, and only a hash of the secret is stored.
// Pure: randomness comes in as bytes.

import { createHash } from 'node:crypto';
import type { Trace } from './trace.ts';

export const SCOPES = ['generate', 'graphs', 'read', 'admin'] as const;
export type Scope = (typeof SCOPES)[number];

/** Times in ms, the tables' clock. */
export interface ApiKey {
  keyId: string;
  /** SHA-256 of the secret, hex. */
  hash: string;
  name: string;
  owner: string;
  scopes: Scope[];
  createdAt: number;
  validUntil?: number;
  revokedAt?: number;
}

/** @param now ms, the tables' clock */
export function isValid(key: ApiKey, now: number): boolean {
  return key.revokedAt === undefined && (key.validUntil === undefined || now < key.validUntil);
}

export interface Caller {
  owner: string;
  scopes: readonly Scope[];
  /** Absent where the API asks for no keys. */
  keyId?: string;
  /** The trace of this request, which its jobs belong to. Absent: none came with it. */
  trace?: Trace;
}

/** The caller where the API asks for no keys, and the owner of jobs made that way. */
export const LOCAL: Caller = { owner: 'local', scopes: SCOPES };

/** Who may send a graph of its own may do with jobs what `generate` may. `admin` includes every scope. */
export function allows({ scopes }: Caller, scope: Scope): boolean {
  const includedIn: readonly Scope[] =
    scope === 'generate' ? ['generate', 'graphs', 'admin'] : [scope, 'admin'];
  return includedIn.some((one) => scopes.includes(one));
}

/** May this caller read what belongs to `owner`? */
export function sees(caller: Caller, owner: string): boolean {
  return caller.owner === owner || caller.scopes.includes('admin');
}

/** A name that fits in a key of a table, a log line and a terminal. */
export const isOwnerName = (text: string): boolean => /^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/.test(text);
export const OWNER_NAME = 'must have 1 to 64 letters, digits, dots, dashes, underscores or @';

const KEY = /^ck_([0-9a-f]{16})_([A-Za-z0-9_-]{43})$/;

/** Undefined unless `text` has the form of a key. */
export function parseKey(text: string): { keyId: string; secret: string } | undefined {
  const [, keyId, secret] = KEY.exec(text) ?? [];
  return keyId === undefined || secret === undefined ? undefined : { keyId, secret };
}

/** @param random returns that many random bytes */
export function drawKey(random: (bytes: number) => Uint8Array): {
  key: string;
  keyId: string;
  hash: string;
} {
  const keyId = Buffer.from(random(8)).toString('hex');
  const secret = Buffer.from(random(32)).toString('base64url');
  return { key: `ck_${keyId}_${secret}`, keyId, hash: hashOfSecret(secret) };
}

const DAY = 24 * 3_600_000;

/** A key with its item. @param days absent: until it is revoked; @param now ms, the tables' clock */
export function newKey(
  {
    days,
    scopes,
    ...whose
  }: { name: string; owner: string; scopes: readonly Scope[]; days?: number | undefined },
  now: number,
  random: (bytes: number) => Uint8Array,
): { key: string; item: ApiKey } {
  const { key, keyId, hash } = drawKey(random);
  const item = {
    keyId,
    hash,
    ...whose,
    scopes: SCOPES.filter((scope) => scopes.includes(scope)),
    createdAt: now,
    ...(days !== undefined && { validUntil: now + days * DAY }),
  };
  return { key, item };
}

/** A secret has 256 random bits: nothing slower than SHA-256 would make it harder to guess. */
export function hashOfSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}
