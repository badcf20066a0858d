// Whom the smoke test asks: an address that was given, the API that runs here, or a deployment, for which it draws two
// keys, of two owners, that end by themselves.

import { randomBytes } from 'node:crypto';
import { cliSettings } from '../../config.ts';
import { drawKey } from '../../core/access.ts';
import { createStoreClient } from '../../store/client.ts';
import { createKeys } from '../../store/keys.ts';
import { CommandError } from '../api.ts';
import { findApi } from '../connection.ts';
import { readDeployment } from '../deployment.ts';
import { stackOutputs } from '../doctor/stacks.ts';
import type { Options } from './options.ts';

export interface Target {
  /** Without a slash at its end. */
  url: string;
  key: string | undefined;
  otherKey: string | undefined;
  /** Removes the keys that were drawn. */
  close(): Promise<void>;
}

const KEY_LASTS = 15 * 60_000;

/** @throws CommandError, or Found where nothing is deployed */
export async function findTarget(
  options: Options,
  environment: Record<string, string | undefined>,
): Promise<Target> {
  if (options.deployed) return findDeployment(options);
  const settings = cliSettings(environment);
  const given = options.url ?? settings.API_URL;
  const url = given ?? (await findApi(environment))?.api.url;
  if (url === undefined)
    throw new CommandError('No API runs here: npm start, or name one with --url, or --deployed');
  return {
    url,
    key: options.key ?? settings.API_KEY,
    otherKey: options.otherKey,
    close: () => Promise.resolve(),
  };
}

async function findDeployment({ minutes, ...options }: Options): Promise<Target> {
  const said = await readDeployment();
  const { name, region } = { name: options.name ?? said.name, region: options.region ?? said.region };
  const { Url, TablePrefix } = await stackOutputs(name, region);
  const client = createStoreClient({ region });
  const keys = createKeys(client, TablePrefix);
  const drawn: string[] = [];
  async function draw(owner: string): Promise<string> {
    const { key, keyId, hash } = drawKey(randomBytes);
    const createdAt = client.clock.now();
    const validUntil = createdAt + minutes * 60_000 + KEY_LASTS;
    await keys.add({ keyId, hash, name: owner, owner, scopes: ['generate', 'read'], createdAt, validUntil });
    drawn.push(keyId);
    return key;
  }
  // The same owners in each run: what the tables keep of an owner is not more with each.
  const [key, otherKey] = [await draw('smoke'), await draw('smoke-other')];
  return {
    url: Url.replace(/\/+$/, ''),
    key,
    otherKey,
    async close() {
      for (const keyId of drawn) await keys.remove(keyId);
      client.raw.destroy();
    },
  };
}
