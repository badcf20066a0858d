#!/usr/bin/env bash
# openai 7.59.0 (npm) and 3.57.0 (PyPI), and a server that says with Retry-After when to come again.
#
# A server whose GPU starts in 75 seconds knows when an answer is there, and says so with 503. Both clients repeat by themselves, twice.
#
# Guess before running: each repetition waits as long as Retry-After says, in both clients up to the same bound.
# Seen: npm's waits for 60 seconds, ignores 61 and comes again by its own backoff within a second, so that its repetitions are used up
# long before the moment that the server named. PyPI's waits for 61, and above two minutes it does not repeat at all: the first 503
# is the caller's.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund openai@7.59.0 node@24.21.0
python3 -m venv venv
venv/bin/pip install --quiet --quiet --disable-pip-version-check openai==3.57.0
cat >server.mjs <<'JS'
// Answers every call with 503 and the Retry-After that its path names, and says how long the first repetition took to come.
import { createServer } from 'node:http';
const seen = new Map();
const server = createServer((req, res) => {
  const [, who, seconds] = req.url.split('/');
  const times = seen.get(`${who} ${seconds}`) ?? [];
  seen.set(`${who} ${seconds}`, [...times, performance.now()]);
  req.resume();
  if (times.length === 1) {
    const waited = (performance.now() - times[0]) / 1000;
    const kept = waited >= Number(seconds) - 0.1;
    res.writeHead(400, { 'x-waited': kept ? 'as named' : 'not waited for', 'content-type': 'application/json' });
    return res.end('{}');
  }
  res.writeHead(503, { 'retry-after': seconds, 'content-type': 'application/json' }).end('{}');
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
JS
node server.mjs >port &
server=$!
trap 'kill $server; rm -rf "$folder"' EXIT
until [ -s port ]; do read -rt 0.1 <> <(:) || true; done
cat >try.mjs <<'JS'
import OpenAI from 'openai';
const port = process.argv[2];
const waits = async (seconds) => {
  const client = new OpenAI({ apiKey: 'none', baseURL: `http://127.0.0.1:${port}/npm/${seconds}` });
  try {
    await client.models.list();
  } catch (error) {
    return `npm, Retry-After ${seconds}: ${error.headers.get('x-waited')}`;
  }
};
for (const line of await Promise.all([2, 60, 61, 121].map(waits))) console.log(line);
JS
cat >try.py <<'PY'
import sys
from concurrent.futures import ThreadPoolExecutor
import openai
def waits(seconds):
    client = openai.OpenAI(api_key="none", base_url=f"http://127.0.0.1:{sys.argv[1]}/pypi/{seconds}")
    try:
        client.models.list()
    except openai.APIStatusError as error:
        return f"pypi, Retry-After {seconds}: {error.response.headers.get('x-waited', 'not repeated')}"
with ThreadPoolExecutor() as pool:
    for line in pool.map(waits, [2, 61, 121]):
        print(line)
PY
node_modules/.bin/node try.mjs "$(cat port)" >npm.txt &
npm=$!
venv/bin/python try.py "$(cat port)" >pypi.txt
wait $npm
seen=$(cat npm.txt pypi.txt)
echo "openai 7.59.0 (npm), 3.57.0 (PyPI)"
echo "$seen"
[ "$seen" = "npm, Retry-After 2: as named
npm, Retry-After 60: as named
npm, Retry-After 61: not waited for
npm, Retry-After 121: not waited for
pypi, Retry-After 2: as named
pypi, Retry-After 61: as named
pypi, Retry-After 121: not repeated" ]
