// The tables, with faults in front of them for each process apart, and a ledger of what they accepted. A write whose
// answer nobody has (the table died) is settled by a strong read, so the ledger misses none. A process is told apart
// by the path of its endpoint, which is not signed for.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Host } from '../../functions/core/host.ts';
import type { JobState } from '../../functions/core/job.ts';
import { fieldsOf } from '../../functions/store/job-item.ts';
import { type AttributeMap, plain } from './attributes.ts';
import type { Ledger } from './ledger.ts';
import { processOf } from './ledger.ts';
import { type Answer, type Exchange, forward, give, listenProxy, type Proxy } from './proxy.ts';
import type { Troubles } from './troubles.ts';

interface Call {
  TableName: string;
  Key?: AttributeMap;
  Item?: AttributeMap;
  IndexName?: string;
  ReturnValues?: string;
}

const WRITES = ['UpdateItem', 'PutItem', 'DeleteItem'];
const THROTTLED = JSON.stringify({
  __type: 'com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException',
  message: 'chaos',
});
const STALE_FOR = 1000;

export interface TableProxy extends Proxy {
  /** Everything that a table has, read past the faults. */
  scan(table: string): Promise<Record<string, unknown>[]>;
}

export async function tableProxy(
  port: () => number,
  troubles: Troubles,
  ledger: Ledger,
): Promise<TableProxy> {
  const busy = new Map<string, Promise<unknown>>();
  /** Invocation → its first try. */
  const tries = new Map<string, number>();
  const earlier = new Map<string, { at: number; answer: Answer }[]>();

  /** Writes to one item go one after the other: the order of answers is the order of writes. */
  function alone<T>(item: string, work: () => Promise<T>): Promise<T> {
    const turn = (busy.get(item) ?? Promise.resolve()).then(work, work);
    busy.set(item, turn);
    return turn;
  }

  async function ask<T>(operation: string, call: object): Promise<T> {
    for (;;) {
      try {
        const { status, body } = await forward(port(), directly(operation, call), '/');
        if (status === 200) return JSON.parse(body.toString()) as T;
      } catch {
        // The table is down: it comes back.
      }
      await sleep(50);
    }
  }

  function note(table: string, item: Record<string, unknown>, write: Parameters<Ledger['job']>[1]): void {
    const { v: _, expiresAt: __, ...rest } = item;
    if (table === 'hosts') ledger.host(String(rest['hostId']), rest as unknown as Host, write);
    if (table === 'jobs' && rest['part'] === 'state') ledger.job(stateOf(item), write);
  }

  async function write(exchange: Exchange, operation: string, by: string): Promise<Answer> {
    const call = JSON.parse(exchange.body.toString()) as Call;
    const key = plain(call.Key ?? call.Item ?? {});
    const name = `${call.TableName} ${String(key['jobId'] ?? key['hostId'])} ${String(key['part'])}`;
    const invocation = exchange.req.headers['amz-sdk-invocation-id'];
    const all = operation === 'UpdateItem' ? { ...call, ReturnValues: 'ALL_NEW' } : call;
    const body = Buffer.from(JSON.stringify(all));
    return alone(name, async () => {
      const sentAt = Date.now();
      const about = () => ({
        by,
        madeAt: tries.get(String(invocation)) ?? sentAt,
        sentAt,
        at: Date.now(),
        ...(typeof invocation === 'string' && { invocation }),
      });
      try {
        const answer = await forward(port(), { ...exchange, body }, '/');
        if (answer.status !== 200) return answer;
        const { Attributes } = JSON.parse(answer.body.toString()) as { Attributes?: AttributeMap };
        if (operation !== 'DeleteItem') note(call.TableName, plain(Attributes ?? call.Item ?? {}), about());
        else if (call.TableName === 'hosts') ledger.host(String(key['hostId']), undefined, about());
        return answer;
      } catch (error) {
        await settle(call, key, about());
        throw error;
      }
    });
  }

  async function settle(
    { TableName, Key, Item }: Call,
    key: Record<string, unknown>,
    about: Parameters<Ledger['job']>[1],
  ): Promise<void> {
    if (TableName === 'intakes') return;
    const names = TableName === 'hosts' ? ['hostId'] : ['jobId', 'part'];
    const given = Key ?? Item ?? {};
    const Wanted = Object.fromEntries(names.map((name) => [name, given[name]!]));
    const { Item: found } = await ask<{ Item?: AttributeMap }>('GetItem', {
      TableName,
      Key: Wanted,
      ConsistentRead: true,
    });
    const write = { ...about, at: Date.now() };
    if (TableName === 'hosts') {
      const run = ledger.hosts.get(String(key['hostId']));
      const item = found && (plain(found) as unknown as Host);
      if (item?.seenAt !== run?.item?.seenAt) ledger.host(String(key['hostId']), item, write);
      return;
    }
    if (key['part'] !== 'state' || !found) return;
    const state = stateOf(plain(found));
    const known = ledger.now(String(key['jobId']));
    if (canonical(state) !== canonical(known ?? {})) note(TableName, plain(found), write);
  }

  const proxy = await listenProxy(async (exchange) => {
    const { req, res, body } = exchange;
    const by = (req.url ?? '').split('/')[1] ?? '';
    const who = processOf(by);
    const operation = String(req.headers['x-amz-target']).split('.')[1] ?? '';
    const isWrite = WRITES.includes(operation);
    const invocation = String(req.headers['amz-sdk-invocation-id']);
    if (isWrite && !tries.has(invocation)) tries.set(invocation, Date.now());
    // Not even an end of the connection: who waits without a limit waits for ever.
    if (troubles.on('table-deaf', who)) return;
    if (isWrite && troubles.on('table-hosts-deaf', who) && body.includes('"TableName":"hosts"')) return;
    if (troubles.on('table-throttled', who) && Math.random() < 0.6)
      return give(res, {
        status: 400,
        headers: { 'content-type': 'application/x-amz-json-1.0', date: new Date().toUTCString() },
        body: Buffer.from(THROTTLED),
      });
    // Writes later than reads: between the two somebody moves on.
    if (troubles.on('table-late', who)) await sleep(50 + Math.random() ** (isWrite ? 1 : 3) * 2500);
    const isIndex = operation === 'Query' && body.includes('"IndexName"');
    const question = isIndex ? `${who} ${body.toString()}` : '';
    const answers = (earlier.get(question) ?? []).filter(({ at }) => Date.now() - at < STALE_FOR);
    if (isIndex && troubles.on('index-stale', who) && answers[0]) return give(res, answers[0].answer);
    const answer = isWrite ? await write(exchange, operation, by) : await forward(port(), exchange, '/');
    if (isIndex && answer.status === 200) earlier.set(question, [...answers, { at: Date.now(), answer }]);
    // As the SDK does where an answer was lost; the first try may well arrive after the second.
    if (isWrite && troubles.on('table-repeats', who) && body.includes('"ConditionExpression"'))
      sleep(100 + Math.random() * 2500)
        .then(() => write(exchange, operation, by))
        .catch(() => undefined);
    if (isWrite && troubles.on('table-answer-lost', who) && Math.random() < 0.5) return void res.destroy();
    give(res, answer);
  });

  return {
    ...proxy,
    async scan(table) {
      const items: Record<string, unknown>[] = [];
      let start: AttributeMap | undefined;
      do {
        const page: { Items: AttributeMap[]; LastEvaluatedKey?: AttributeMap } = await ask('Scan', {
          TableName: table,
          ConsistentRead: true,
          ...(start && { ExclusiveStartKey: start }),
        });
        items.push(...page.Items.map(plain));
        start = page.LastEvaluatedKey;
      } while (start);
      return items;
    },
  };
}

/** The same whatever the order of fields. */
export function canonical(state: object): string {
  return JSON.stringify(Object.entries(state).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The embedded DynamoDB wants a signature and does not verify it. */
function directly(operation: string, call: object): Pick<Exchange, 'req' | 'body'> {
  const headers = {
    'content-type': 'application/x-amz-json-1.0',
    'x-amz-target': `DynamoDB_20120810.${operation}`,
    'x-amz-date': '20260101T000000Z',
    authorization:
      'AWS4-HMAC-SHA256 Credential=chaos/20260101/local/dynamodb/aws4_request, SignedHeaders=host, Signature=0',
  };
  const req = { headers, method: 'POST', url: '/' } as unknown as Exchange['req'];
  return { req, body: Buffer.from(JSON.stringify(call)) };
}

function stateOf(item: Record<string, unknown>): JobState {
  const { v: _, expiresAt: __, part: ___, ...state } = fieldsOf(item);
  return state as unknown as JobState;
}
