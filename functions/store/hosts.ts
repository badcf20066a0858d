// The Hosts table: one item for one run of a host process. A restart is a new host. Beside it, in a table that hosts write
// and only the forwarder reads, what offers to it are signed with.

import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { DeleteCommand, GetCommand, PutCommand, ScanCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { HOST_FORGOTTEN_AFTER, INTAKE_KEPT } from '../core/limits.ts';
import type { Host } from '../core/host.ts';
import type { StoreClient } from './client.ts';
import { createGlance, readLessOften } from './glance.ts';
import { everyPage } from './reading.ts';
import { hostsTable, intakesTable, SCHEMA_VERSION } from './tables.ts';

export type Hosts = ReturnType<typeof createHosts>;

/** Of hosts that a forwarder knows. */
const REMEMBERED_SECRETS = 500;

export function createHosts({ documents, clock, timings }: StoreClient, prefix: string) {
  const TableName = prefix + hostsTable.name;
  const intakes = prefix + intakesTable.name;
  const secrets = new Map<string, string>();

  async function list(ConsistentRead: boolean): Promise<Host[]> {
    const hosts: Host[] = [];
    const pages = everyPage((ExclusiveStartKey) =>
      documents.send(new ScanCommand({ TableName, ConsistentRead, ExclusiveStartKey })),
    );
    for await (const { Items = [] } of pages) hosts.push(...(Items as Host[]));
    return hosts;
  }

  return {
    /**
     * The whole item, as the host knows itself; also its heartbeat. One that comes late, after a younger one, is
     * nothing: it would make a host that lives look dead. False: so it was.
     * @param signal ends the SDK's tries, which may go on for longer than it takes to look dead
     */
    async put(host: Host, signal?: AbortSignal): Promise<boolean> {
      const expiresAt = Math.ceil((host.seenAt + HOST_FORGOTTEN_AFTER) / 1000);
      try {
        await documents.send(
          new PutCommand({
            TableName,
            Item: { v: SCHEMA_VERSION, ...host, expiresAt },
            ConditionExpression: 'attribute_not_exists(hostId) OR #seenAt <= :seenAt',
            ExpressionAttributeNames: { '#seenAt': 'seenAt' },
            ExpressionAttributeValues: { ':seenAt': host.seenAt },
          }),
          { abortSignal: signal },
        );
        return true;
      } catch (error) {
        if (error instanceof ConditionalCheckFailedException) return false;
        throw error;
      }
    },

    /** Strongly. */
    async read(hostId: string, abortSignal?: AbortSignal): Promise<Host | undefined> {
      const { Item } = await documents.send(
        new GetCommand({ TableName, Key: { hostId }, ConsistentRead: true }),
        { abortSignal },
      );
      return Item as Host | undefined;
    },

    /** All of them, dead ones too, strongly: for who judges. What it costs grows with the fleet. */
    list: () => list(true),

    /** For who only looks, as often as he likes: of a large fleet some seconds old. */
    glance: createGlance(
      () => list(false),
      (hosts) => readLessOften(hosts.length, timings),
      () => clock.now(),
    ),

    /** Asks it to drain and end its machine. False: it is gone. */
    async retire(hostId: string): Promise<boolean> {
      try {
        await documents.send(
          new UpdateCommand({
            TableName,
            Key: { hostId },
            ConditionExpression: 'attribute_exists(hostId)',
            UpdateExpression: 'SET #retire = :true',
            ExpressionAttributeNames: { '#retire': 'retire' },
            ExpressionAttributeValues: { ':true': true },
          }),
        );
        return true;
      } catch (error) {
        if (error instanceof ConditionalCheckFailedException) return false;
        throw error;
      }
    },

    /** Before its item: whoever finds that may offer. @param secret random, made at its start */
    async putIntake(hostId: string, secret: string, now: number): Promise<void> {
      const expiresAt = Math.ceil((now + INTAKE_KEPT) / 1000);
      await documents.send(
        new PutCommand({ TableName: intakes, Item: { v: SCHEMA_VERSION, hostId, secret, expiresAt } }),
      );
    },

    /** Remembered, since a run never changes it. Undefined: it has none. */
    async readIntake(hostId: string): Promise<string | undefined> {
      const known = secrets.get(hostId);
      if (known !== undefined) return known;
      const { Item } = await documents.send(
        new GetCommand({ TableName: intakes, Key: { hostId }, ConsistentRead: true }),
      );
      const secret = (Item as { secret: string } | undefined)?.secret;
      if (secret === undefined) return undefined;
      if (secrets.size >= REMEMBERED_SECRETS) secrets.delete(secrets.keys().next().value!);
      secrets.set(hostId, secret);
      return secret;
    },

    /** The item last: what is left of a removal that broke off is seen, and done again. */
    async remove(hostId: string): Promise<void> {
      await documents.send(new DeleteCommand({ TableName: intakes, Key: { hostId } }));
      await documents.send(new DeleteCommand({ TableName, Key: { hostId } }));
    },
  };
}
