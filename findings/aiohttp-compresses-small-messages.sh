#!/usr/bin/env bash
# aiohttp 3.14.5 (Python) and ws 8.23.0 (Node): small WebSocket messages between a server and a client that are both as their
# packages make them.
#
# Guess before running: messages of 100 bytes go as they are. ws itself compresses nothing below 1,024 bytes (`threshold`), and a
# compressor that serves programs on one machine would do the same.
# Seen: a client of ws offers permessage-deflate unless it is asked not to, aiohttp's WebSocketResponse accepts it, and it has no
# threshold: each message is compressed, and ws inflates each in a thread of its own. 20,000 messages took the two
# processes 4 to 9 times the processor time of the same client with `perMessageDeflate: false`, and the client 8 to 18 times (2.1 to 2.8 s;
# 0.15 to 0.28). ComfyUI sends its progress this way, a dozen such messages for a short prompt.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check aiohttp==3.14.5
npm install --silent --no-audit --no-fund ws@8.23.0
cat >server.py <<'PY'
import json, resource
from aiohttp import web

COUNT = 20_000


async def events(request):
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    before = resource.getrusage(resource.RUSAGE_SELF)
    for step in range(COUNT):
        await socket.send_str(json.dumps({"type": "progress", "data": {"value": step, "max": COUNT, "node": "31"}}))
    await socket.receive()
    after = resource.getrusage(resource.RUSAGE_SELF)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    await socket.send_str(json.dumps({"spent": spent}))
    await socket.close()
    return socket


app = web.Application()
app.router.add_get("/", events)
runner = web.AppRunner(app)


async def main():
    import asyncio

    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


import asyncio

asyncio.run(main())
PY
cat >client.mjs <<'JS'
import WebSocket from 'ws';

const [, , port, how] = process.argv;
const socket = new WebSocket(`ws://127.0.0.1:${port}/`, how === 'plain' ? { perMessageDeflate: false } : {});
let heard = 0;
let before;
socket.on('open', () => (before = process.cpuUsage()));
socket.on('message', (data) => {
  heard += 1;
  if (heard === 20_000) {
    const { user, system } = process.cpuUsage(before);
    socket.mine = (user + system) / 1e6;
    socket.send('done');
  }
  if (heard > 20_000) {
    const { spent } = JSON.parse(data);
    console.log(`${socket.extensions || 'none'} ${socket.mine.toFixed(2)} ${spent.toFixed(2)}`);
    socket.close();
  }
});
JS
venv/bin/python server.py >port &
server=$!
trap 'kill $server; rm -rf "$folder"' EXIT
until [ -s port ]; do sleep 0.1; done
read -r extension client python < <(node client.mjs "$(cat port)" default)
read -r none plain_client plain_python < <(node client.mjs "$(cat port)" plain)
echo "as they are: $extension, client ${client} s, server ${python} s of processor time for 20,000 messages of 70 bytes"
echo "perMessageDeflate: false: $none, client ${plain_client} s, server ${plain_python} s"
python3 - "$extension" "$client" "$python" "$none" "$plain_client" "$plain_python" <<'PY'
import sys

extension, client, server, none, plain_client, plain_server = sys.argv[1:]
ratio = (float(client) + float(server)) / (float(plain_client) + float(plain_server))
print(f"{ratio:.1f} x")
if extension != "permessage-deflate" or none != "none" or ratio < 1.5:
    print("CHANGED: not as stated above")
    sys.exit(1)
print("as stated: each small message is compressed, and it shows")
PY
