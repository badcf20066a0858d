#!/usr/bin/env bash
# @hono/node-server 2.1.8, a handler that answers without reading the body, and a client that writes all of it first.
#
# A refusal by size (413) is answered at once. Many clients (Python's urllib among them) write their whole body before they
# read. The adapter reads an unread body away, with a bound of 64 MiB.
#
# Guess before running: a body of 8 MiB that takes two seconds to write is read away, and the client reads its 413.
# Seen: 500 ms after the answer the connection is closed, whatever little has come; the client cannot finish its writing.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund @hono/node-server@2.1.8 hono@4.13.19
cat >try.mjs <<'JS'
import { serve } from '@hono/node-server';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
const server = serve({ fetch: () => new Response('too large', { status: 413 }), port: 0, hostname: '127.0.0.1' });
await new Promise((resolve) => server.once('listening', resolve));
const size = 8 * 1024 * 1024;
const write = async (pause) => {
  const socket = connect(server.address().port, '127.0.0.1');
  let closed = false;
  socket.on('error', () => (closed = true)).on('close', () => (closed = true));
  socket.resume();
  socket.write(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${size}\r\n\r\n`);
  let written = 0;
  const piece = Buffer.alloc(size / 20);
  while (written < size && !closed) {
    socket.write(piece);
    written += piece.length;
    await sleep(pause);
  }
  const whole = written >= size && !closed;
  socket.destroy();
  return whole ? 'written whole' : 'closed while writing';
};
console.log(`at once: ${await write(0)}`);
console.log(`in 2 seconds: ${await write(100)}`);
process.exit(0);
JS
seen=$(node try.mjs)
echo "@hono/node-server 2.1.8"
echo "$seen"
[ "$seen" = $'at once: written whole\nin 2 seconds: closed while writing' ]
