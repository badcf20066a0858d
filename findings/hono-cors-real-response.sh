#!/usr/bin/env bash
# hono 4.13.19 with @hono/node-server 2.1.8, cors(): what three headers more cost an answer.
#
# The server has a light Response of its own: an answer that is text never becomes a real one (of undici), and its headers are
# a plain Headers object until they are written.
#
# Guess before running: cors() costs what three headers set with c.header() before the handler cost, about a tenth of an answer.
# Seen: cors() sets its headers on c.res before the handler has answered. That makes a Response to hold them, and the handler's
# answer is then copied into another: a real Response with a stream as its body, read chunk by chunk. An answer took 2.3 times as
# long as one with the same headers set by c.header() (Node 20.20.2, a quiet machine; 2.6 and 3.9 on a loaded one); those cost a
# fifth more than none.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund hono@4.13.19 @hono/node-server@2.1.8
cat >try.mjs <<'JS'
import { once } from 'node:events';
import { Agent, createServer, get } from 'node:http';
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads';

if (!isMainThread) {
  // The client: not in the thread that is measured.
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  const ask = (port) =>
    new Promise((resolve) => get({ port, agent }, (answer) => answer.resume().on('end', resolve)));
  parentPort.on('message', async ({ port, count }) => {
    let left = count;
    await Promise.all(Array.from({ length: 8 }, async () => { while (left-- > 0) await ask(port); }));
    parentPort.postMessage('done');
  });
} else {
  const { Hono } = await import('hono');
  const { cors } = await import('hono/cors');
  const { getRequestListener } = await import('@hono/node-server');
  const headers = { 'Access-Control-Allow-Origin': '*', 'Access-Control-Expose-Headers': 'ETag' };
  const byContext = (c, next) => {
    for (const [name, value] of Object.entries(headers)) c.header(name, value);
    return next();
  };
  const kinds = { none: undefined, 'c.header': byContext, cors: cors({ origin: '*', exposeHeaders: ['ETag'] }) };
  const client = new Worker(new URL(import.meta.url));
  const servers = {};
  for (const [kind, middleware] of Object.entries(kinds)) {
    const app = new Hono();
    if (middleware) app.use(middleware);
    app.get('/', (c) => c.json({ text: 'x'.repeat(600) }));
    servers[kind] = createServer(getRequestListener(app.fetch)).listen(0);
    await once(servers[kind], 'listening');
  }
  const least = {};
  for (let round = 0; round < 12; round += 1)
    for (const [kind, server] of Object.entries(servers)) {
      const before = performance.eventLoopUtilization();
      client.postMessage({ port: server.address().port, count: 500 });
      await once(client, 'message');
      const { active } = performance.eventLoopUtilization(before);
      least[kind] = Math.min(least[kind] ?? Infinity, active);
    }
  const ratio = (kind) => least[kind] / least.none;
  console.error(`to no headers: c.header ${ratio('c.header').toFixed(2)}, cors ${ratio('cors').toFixed(2)}`);
  console.log(least.cors / least['c.header'] > 1.5 ? 'cors() costs more than half of an answer' : 'cors() costs little');
  process.exit();
}
JS
seen=$(node try.mjs)
echo "hono 4.13.19, @hono/node-server 2.1.8, Node $(node --version)"
echo "$seen"
[ "$seen" = 'cors() costs more than half of an answer' ]
