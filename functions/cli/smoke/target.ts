// The API under test: a given address, the API that runs here, or a deployment, for which the test creates two keys of two
// owners that expire by themselves.

import { randomBytes } from 'node:crypto';
import { drawKey } from '../../core/access.ts';
import { createStoreClient, engineOf } from '../../store/dynamodb/client.ts';
import { createKeys } from '../../store/keys.ts';
import { CommandError } from '../api.ts';
import { findApi } from '../connection.ts';
import { readDeployment } from '../deployment.ts';
import { explainAws, whoAsks } from '../doctor/aws.ts';
import { findingOf, Found, lacking } from '../doctor/check.ts';
import { readStacks } from '../doctor/stacks.ts';
import { placeOf } from '../place.ts';
import type { Options } from './options.ts';

export interface Target {
  /** Without a trailing slash. */
  url: string;
  key: string | undefined;
  otherKey: string | undefined;
  /** Whether the deployment's last update failed and was rolled back. */
  rolledBack?: boolean;
  /** Removes the keys that were created. @throws Found if that fails */
  close(): Promise<void>;
}

const KEY_LASTS = 15 * 60_000;

/** @throws CommandError, or Found if nothing is deployed */
export async function findTarget(
  options: Options,
  environment: Record<string, string | undefined>,
): Promise<Target> {
  if (options.deployed)
    return findDeployment(options).catch((error: unknown) => {
      if (error instanceof CommandError) throw error;
      throw new Found(findingOf(error, explainAws));
    });
  const url = options.url ?? (await findApi(environment))?.api.url;
  if (url === undefined)
    throw new CommandError('No API runs here: npm start, or name one with --url, or --deployed');
  return {
    url,
    key: options.key,
    otherKey: options.otherKey,
    close: () => Promise.resolve(),
  };
}

async function findDeployment({ minutes, ...options }: Options): Promise<Target> {
  const { name, region } = placeOf(options, await readDeployment());
  await whoAsks(region);
  const { outputs, rolledBack } = await readStacks(name, region);
  const { Url, TablePrefix } = outputs;
  const client = createStoreClient({ region });
  const keys = createKeys(engineOf(client, TablePrefix));
  const drawn: string[] = [];
  async function draw(owner: string): Promise<string> {
    const { key, keyId, hash } = drawKey(randomBytes);
    const createdAt = client.clock.now();
    const validUntil = createdAt + minutes * 60_000 + KEY_LASTS;
    await keys.add({ keyId, hash, name: owner, owner, scopes: ['generate', 'read'], createdAt, validUntil });
    drawn.push(keyId);
    return key;
  }
  // The same owners in each run, so that the tables' records of owners do not grow.
  const [key, otherKey] = [await draw('smoke'), await draw('smoke-other')];
  return {
    url: Url.replace(/\/+$/, ''),
    key,
    otherKey,
    rolledBack: rolledBack !== undefined,
    async close() {
      try {
        for (const keyId of drawn) await keys.remove(keyId);
      } catch (error) {
        const { says } = findingOf(error, explainAws);
        throw lacking(
          `the keys that were drawn could not be removed: ${says}`,
          `nothing: they end by themselves, ${KEY_LASTS / 60_000} minutes after the last that a run may take`,
        );
      } finally {
        client.raw.destroy();
      }
    },
  };
}
