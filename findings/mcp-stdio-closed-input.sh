#!/usr/bin/env bash
# @modelcontextprotocol/server 2.4.0 over stdio, and a client that writes its requests and closes: printf … | server.
#
# Shell scripts and tests talk to a program so: the input ends, the answers come, the program ends.
#
# Guess before running: requests that were read before the end of the input are answered, also those whose tool takes a while.
# Seen: the end of the input closes the transport. The tool runs to its end, and its answer is dropped without a word; the program ends
# with 0. Only what was answered before the end arrives. With the input held open both are answered.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund @modelcontextprotocol/server@2.4.0 zod@4.6.7
cat >server.mjs <<'JS'
import { McpServer } from '@modelcontextprotocol/server';
import { StdioServerTransport } from '@modelcontextprotocol/server/stdio';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
const server = new McpServer({ name: 'slow', version: '1.0.0' });
let finished = 0;
server.registerTool('wait', { description: 'Answers later.', inputSchema: z.object({ ms: z.number() }) }, async ({ ms }) => {
  await sleep(ms);
  finished += 1;
  return { content: [{ type: 'text', text: `after ${ms} ms` }] };
});
process.on('exit', () => console.error(`tools that finished: ${finished}`));
await server.connect(new StdioServerTransport());
JS
requests() {
  echo '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"sh","version":"1"}}}'
  echo '{"jsonrpc":"2.0","method":"notifications/initialized"}'
  echo '{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"wait","arguments":{"ms":300}}}'
}
ids() { grep -o '"id":[0-9]*' "$1" | sort -u | tr '\n' ' '; }
requests | node server.mjs >closed.txt 2>closed.err || true
(requests; exec sleep 2) | node server.mjs >open.txt 2>open.err || true
echo "@modelcontextprotocol/server 2.4.0"
seen="input closed at once: answered $(ids closed.txt)$(tail -1 closed.err)
input closed after 2 seconds: answered $(ids open.txt)$(tail -1 open.err)"
echo "$seen"
[ "$seen" = 'input closed at once: answered "id":1 tools that finished: 1
input closed after 2 seconds: answered "id":1 "id":2 tools that finished: 1' ]
