// The Keys table of a command: a deployment's, or that of a local workspace, whether its API runs or not.

import { keysSettings } from '../../config/cli.ts';
import { valueInWords } from '../../core/secrets.ts';
import { createStoreClient, engineOf, type StoreClient } from '../../store/dynamodb/client.ts';
import { openWorkspaceTables } from '../../local/tables.ts';
import { createKeys, type Keys } from '../../store/keys.ts';
import { createOwners, type Owners } from '../../store/owners.ts';
import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { CommandError } from '../api.ts';
import { readDeployment, unpricedTypes } from '../deployment.ts';
import { explainedFor } from '../doctor/aws.ts';
import { type Place, placeOf, REGION } from '../place.ts';

export interface OpenKeys {
  keys: Keys;
  owners: Owners;
  /** The tables' clock, ms. */
  now(): number;
  /** Instance types of a deployment without a price, whose jobs no limit in dollars counts. */
  unpriced: string[];
  close(): Promise<void>;
}

type Environment = Record<string, string | undefined>;

/** @param deployed undefined: a workspace; else a deployment, with cdk.json's name and region as defaults */
export async function openKeys(
  environment: Environment,
  deployed: { name?: string | undefined; region?: string | undefined } | undefined,
): Promise<OpenKeys> {
  const settings = keysSettings(environment);
  if (deployed) {
    const written = await readDeployment();
    const said = { name: written.name, region: settings.AWS_REGION ?? written.region };
    const place = placeOf(deployed, said);
    if (REGION.read(place.region) === undefined)
      throw new CommandError(`AWS_REGION must ${REGION.must}; ${valueInWords(place.region)}`);
    return { ...(await openDeployedKeys(place)), unpriced: unpricedTypes(written, place.region) };
  }
  if (settings.AWS_ENDPOINT_URL_DYNAMODB !== undefined)
    return over(
      createStoreClient({
        endpoint: settings.AWS_ENDPOINT_URL_DYNAMODB,
        region: settings.AWS_REGION ?? 'local',
      }),
      settings.TABLE_PREFIX ?? '',
    );
  return openWorkspaceKeys(settings.WORKSPACE_PATH);
}

async function openDeployedKeys(place: Place): Promise<OpenKeys> {
  const { name, region } = place;
  const client = createStoreClient({ region });
  try {
    return await over(client, `${name}-`);
  } catch (error) {
    client.raw.destroy();
    if ((error as Error).name !== 'ResourceNotFoundException') throw explainedFor(place, error);
    throw new CommandError(
      `There is no deployment ${name} in ${region}: npm run deploy, or --deployment NAME and --region REGION say which is meant`,
    );
  }
}

async function over(client: StoreClient, prefix: string): Promise<OpenKeys> {
  const engine = engineOf(client, prefix);
  const keys = createKeys(engine);
  // The answer sets the client's clock.
  await keys.list();
  return {
    keys,
    owners: createOwners(engine),
    now: () => client.clock.now(),
    unpriced: [],
    close: () => Promise.resolve(client.raw.destroy()),
  };
}

/** Whether an API runs on the workspace or not: several processes may have its tables open. */
async function openWorkspaceKeys(path: string): Promise<OpenKeys> {
  const directory = resolve(path);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const { engine } = await openWorkspaceTables(directory);
  return {
    keys: createKeys(engine),
    owners: createOwners(engine),
    now: () => engine.clock.now(),
    unpriced: [],
    close: () => engine.close(),
  };
}
