#!/usr/bin/env bash
# Node 18.20.8, 20.19.6, 22.23.3 and 24.21.0 (libuv 1.44.2 to 1.52.1): how many waiting connections a server accepts in one turn of
# its event loop.
#
# Guess before running: all that wait, as libuv's loop around accept() reads: fifty clients that come at once while each turn of
# the loop takes 20 ms are all accepted in the next turn, within a few ms.
# Seen: Node 18 does. Since Node 20 it is exactly one connection a turn: the fifty took 1.0 to 1.2 s. A server whose
# turns are long (many small requests in each) answers those that have a connection in time and lets new ones wait in the kernel,
# one turn for each before them; nothing is logged, no limit of the server is reached, and a client sees seconds.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat >server.mjs <<'JS'
import { createServer } from 'node:net';

let turn = 0;
/** Per connection: when, and in which turn it was accepted. */
const accepted = [];
const server = createServer(() => accepted.push({ at: performance.now(), turn }));
function busy() {
  turn += 1;
  const until = performance.now() + 20;
  while (performance.now() < until);
  setImmediate(busy);
}
server.listen(0, '127.0.0.1', () => process.send(server.address().port));
process.on('message', (message) => {
  if (message === 'busy') return setImmediate(busy);
  const inTurn = {};
  for (const one of accepted) inTurn[one.turn] = (inTurn[one.turn] ?? 0) + 1;
  const ms = Math.round(accepted.at(-1).at - accepted[0].at);
  process.send({ accepted: accepted.length, ms, mostInOneTurn: Math.max(...Object.values(inTurn)) }, () => process.exit());
});
JS
cat >clients.mjs <<'JS'
import { fork } from 'node:child_process';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const server = fork('server.mjs', { execPath: process.argv[2] });
server.once('message', async (port) => {
  server.send('busy');
  await sleep(100);
  for (let count = 0; count < 50; count += 1) connect(port, '127.0.0.1');
  await sleep(3000);
  server.once('message', (seen) => {
    console.log(`${seen.accepted} ${seen.mostInOneTurn} ${seen.ms}`);
    process.exit();
  });
  server.send('end');
});
JS
changed=0
for version in 18.20.8 20.19.6 22.23.3 24.21.0; do
  npm install --silent --no-audit --no-fund --prefix "node-$version" "node@$version"
  node="$folder/node-$version/node_modules/node/bin/node"
  read -r accepted most ms < <("$node" clients.mjs "$node")
  echo "Node $version, libuv $("$node" -p process.versions.uv): $accepted accepted within $ms ms, at most $most in one turn"
  case $version in
    18.*) [ "$most" -gt 10 ] || changed=1 ;;
    *) [ "$most" -eq 1 ] && [ "$ms" -gt 900 ] || changed=1 ;;
  esac
done
if [ "$changed" -ne 0 ]; then
  echo 'CHANGED: not as stated above'
  exit 1
fi
echo 'as stated: one connection a turn since Node 20, all that wait before'
