#!/usr/bin/env bash
# runpod 1.12.0 (PyPI), and one moment of a server that is busy while a job is polled.
#
# The client sets up five repetitions with backoff for 408 and 429. A job of an image is polled once a second, for a minute, say.
#
# Guess before running: a poll that is answered 429 once is asked again a moment later, whatever the address; `run`, a POST, is not.
# Seen: that holds for http:// only, the address of one's own tests. For https://, the address of every real endpoint, the session has
# no repetitions at all: one 429, and `output()` raises while the job goes on and is paid for.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --quiet --disable-pip-version-check runpod==1.12.0
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost \
  -keyout key.pem -out certificate.pem 2>/dev/null
cat >try.py <<'PY'
# Each job's first poll is answered 429, every later one has its output.
import ssl, sys, threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
import requests, runpod

polls = {}

class Busy(BaseHTTPRequestHandler):
    def do_GET(self):
        polls[self.path] = polls.get(self.path, 0) + 1
        body = b'{"status": "COMPLETED", "output": "an image"}'
        self.send_response(429 if polls[self.path] == 1 else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass

runpod.api_key = "none"
for scheme in "http", "https":
    server = ThreadingHTTPServer(("localhost", 0), Busy)
    if scheme == "https":
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain("certificate.pem", "key.pem")
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    runpod.endpoint_url_base = f"{scheme}://localhost:{server.server_port}/v2"
    client = runpod.endpoint.runner.RunPodClient()
    job = runpod.endpoint.runner.Job("flux", scheme, client)
    try:
        answer = job.output(timeout=30)
    except requests.HTTPError as error:
        answer = f"{type(error).__name__} {error.response.status_code}"
    print(f"{scheme}: {answer}, after {sum(polls.values())} polls")
    polls.clear()
    server.shutdown()
PY
seen=$(REQUESTS_CA_BUNDLE="$folder/certificate.pem" venv/bin/python try.py)
echo "runpod 1.12.0"
echo "$seen"
[ "$seen" = "http: an image, after 2 polls
https: HTTPError 429, after 1 polls" ]
