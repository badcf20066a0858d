#!/usr/bin/env bash
# @aws-sdk/client-dynamodb 3.1169.0 with @smithy/core 3.41.1, and 200 calls at once whose first answers are lost or refused.
#
# A table that hiccups for a moment refuses what is under way on every connection at once; `maxAttempts: 5` is there for that.
#
# Guess before running: each of the 200 calls is sent again after its backoff, up to four times, and all succeed; only how long they
# wait depends on the kind of fault.
# Seen: one client has 500 tokens for its repetitions, and one costs 14 after a cut connection or a 500 (5 until this year's retries)
# and 5 after a throttle. So 35 of the 200 are sent again, or 100 of them; the others fail with the first fault, tried once, whatever
# `maxAttempts` says. Tokens come back as repetitions succeed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat >package.json <<'JSON'
{
  "private": true,
  "dependencies": { "@aws-sdk/client-dynamodb": "3.1169.0", "@smithy/core": "3.41.1", "node": "24.21.0" },
  "overrides": { "@smithy/core": "3.41.1" }
}
JSON
npm install --silent --no-audit --no-fund
cat >try.mjs <<'JS'
// Faults each call's first attempt, and answers repetitions once all the first ones are faulted: no token comes back before that.
import { createServer } from 'node:http';
import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
const CALLS = 200;
const faults = {
  'connection cut': (req) => req.socket.destroy(),
  'status 500': (req, res) => res.writeHead(500).end(JSON.stringify({ __type: 'InternalServerError' })),
  'throttled': (req, res) => res.writeHead(400).end(JSON.stringify({ __type: 'ThrottlingException' })),
};
for (const [name, fault] of Object.entries(faults)) {
  const seen = new Set();
  let answerRepetitions;
  const allFaulted = new Promise((resolve) => (answerRepetitions = resolve));
  const server = createServer(async (req, res) => {
    const body = JSON.parse(Buffer.concat(await req.toArray()).toString());
    const id = body.Key.id.S;
    if (seen.has(id)) return void allFaulted.then(() => res.end('{}'));
    seen.add(id);
    fault(req, res);
    if (seen.size === CALLS) setImmediate(answerRepetitions);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const client = new DynamoDBClient({
    region: 'us-east-1',
    endpoint: `http://127.0.0.1:${server.address().port}`,
    credentials: { accessKeyId: 'none', secretAccessKey: 'none' },
    maxAttempts: 5,
    requestHandler: { httpAgent: { maxSockets: CALLS } },
  });
  const read = (_, id) => client.send(new GetItemCommand({ TableName: 't', Key: { id: { S: String(id) } } }));
  const ended = await Promise.allSettled(Array.from({ length: CALLS }, read));
  const failed = ended.filter(({ status }) => status === 'rejected').map(({ reason }) => reason.$metadata.attempts);
  console.log(`${name}: ${CALLS - failed.length} of ${CALLS} repeated, ${failed.filter((n) => n === 1).length} failed after one attempt`);
  client.destroy();
  server.close();
  server.closeAllConnections();
}
JS
seen=$(node_modules/.bin/node try.mjs)
echo "@aws-sdk/client-dynamodb 3.1169.0, @smithy/core 3.41.1"
echo "$seen"
[ "$seen" = "connection cut: 35 of 200 repeated, 165 failed after one attempt
status 500: 35 of 200 repeated, 165 failed after one attempt
throttled: 100 of 200 repeated, 100 failed after one attempt" ]
