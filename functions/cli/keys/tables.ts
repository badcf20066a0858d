// The Keys table of a command: a deployment's, or that of a local workspace, whether its API runs or not.

import { keysSettings } from '../../config/cli.ts';
import { valueInWords } from '../../core/secrets.ts';
import { tryLockIn } from '../../runtime/lock.ts';
import { startChild } from '../../local/child.ts';
import { programOf } from '../../local/programs.ts';
import { announcedIn } from '../../local/workspace.ts';
import { createLog } from '../../log.ts';
import { createStoreClient, engineOf, type StoreClient } from '../../store/dynamodb/client.ts';
import { createTables } from '../../store/dynamodb/create-tables.ts';
import { createKeys, type Keys } from '../../store/keys.ts';
import { createOwners, type Owners } from '../../store/owners.ts';
import { randomBytes } from 'node:crypto';
import { join, resolve } from 'node:path';
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

async function over(client: StoreClient, prefix: string, stop = async () => undefined): Promise<OpenKeys> {
  const keys = createKeys(engineOf(client, prefix));
  // The answer sets the client's clock.
  await keys.list();
  return {
    keys,
    owners: createOwners(engineOf(client, prefix)),
    now: () => client.clock.now(),
    unpriced: [],
    async close() {
      client.raw.destroy();
      await stop();
    },
  };
}

/** The API that has the workspace keeps its tables open; if none runs, this command opens them. */
async function openWorkspaceKeys(path: string): Promise<OpenKeys> {
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  const client = (endpoint: string, token: string) =>
    createStoreClient({ endpoint, region: 'local', credentials, token });
  const lock = await tryLockIn(path, 'lock');
  if (!lock) {
    const { dynamodb, tablesToken } = await announcedIn(path);
    if (dynamodb === undefined || tablesToken === undefined)
      throw new CommandError(`The workspace ${path} is being opened; try again in a second`);
    return over(client(dynamodb, tablesToken), '');
  }
  const token = randomBytes(24).toString('hex');
  const dynamodb = await startChild<{ port: number }>(
    'the embedded DynamoDB',
    programOf('dynamodb'),
    { ...process.env, DIRECTORY: join(resolve(path), 'dynamodb'), TOKEN: token },
    createLog('keys', 'warn'),
    ({ port }) => ({ PORT: String(port) }),
  );
  const opened = client(`http://127.0.0.1:${dynamodb.ready.port}`, token);
  await createTables(opened, '');
  return over(opened, '', async () => {
    await dynamodb.stop();
    await lock.release();
  });
}
