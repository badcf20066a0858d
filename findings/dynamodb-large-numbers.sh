#!/usr/bin/env bash
# @aws-sdk/lib-dynamodb 3.1162.0 (DynamoDBDocumentClient) and dynalite 4.0.0: whole numbers past 2^53.
#
# DynamoDB keeps 38 digits. The document client turns items into plain JavaScript, both ways.
#
# Guess before running: what was read is a number that has lost its tail, or the read is refused until `wrapNumbers` is set;
# what was read can be written back as it is, and a number that was safe when it was written is read as a number.
# Seen: the read gives a bigint where the value lies past 2^53 and a number where it does not, item by item, so that one
# attribute has two types; the bigint is written back whole; JSON.stringify of the same item throws. A
# number of that size (not a bigint) is refused at the write, whether it is exact (2^60) or not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund @aws-sdk/client-dynamodb@3.1164.0 @aws-sdk/lib-dynamodb@3.1162.0 dynalite@4.0.0
cat >try.mjs <<'JS'
import { CreateTableCommand, DescribeTableCommand, DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import dynalite from 'dynalite';

const server = dynalite({ createTableMs: 0 });
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const client = new DynamoDBClient({
  endpoint: `http://127.0.0.1:${server.address().port}`,
  region: 'eu-west-1',
  credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
});
const documents = DynamoDBDocumentClient.from(client);
await client.send(new CreateTableCommand({
  TableName: 'things',
  AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
  KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
  BillingMode: 'PAY_PER_REQUEST',
}));
while ((await client.send(new DescribeTableCommand({ TableName: 'things' }))).Table.TableStatus !== 'ACTIVE');
const read = async (id) => (await documents.send(new GetCommand({ TableName: 'things', Key: { id } }))).Item.n;
const outcome = async (work) => work().then((value) => `${typeof value} ${String(value)}`, (error) => `refused: ${error.message.split('.')[0]}`);

for (const [id, n] of [['small', '9007199254740991'], ['large', '13520934829384756123']])
  await client.send(new PutItemCommand({ TableName: 'things', Item: { id: { S: id }, n: { N: n } } }));
console.log('2^53 - 1 is read as', await outcome(() => read('small')));
console.log('20 digits are read as', await outcome(() => read('large')));
const back = async (n) => (await documents.send(new PutCommand({ TableName: 'things', Item: { id: 'again', n } })), read('again'));
console.log('what was read, written back:', await outcome(async () => back(await read('large'))));
console.log('the number 2^60, written:', await outcome(() => back(2 ** 60)));
console.log('JSON of what was read:', await outcome(async () => JSON.stringify({ n: await read('large') })));
server.close();
JS
seen=$(NODE_NO_WARNINGS=1 node try.mjs)
echo "@aws-sdk/lib-dynamodb 3.1162.0, dynalite 4.0.0"
echo "$seen"
[ "$seen" = '2^53 - 1 is read as number 9007199254740991
20 digits are read as bigint 13520934829384756123
what was read, written back: bigint 13520934829384756123
the number 2^60, written: refused: Number 1152921504606847000 is greater than Number
JSON of what was read: refused: Do not know how to serialize a BigInt' ]
