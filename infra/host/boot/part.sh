#!/bin/bash
# Records the seconds of one boot part in /run/comfyui-host/boot.json: {"models": 61.2, ...}.
# part.sh NAME SECONDS records them; part.sh NAME COMMAND... runs the command and records its time if it succeeds.
set -euo pipefail
name=$1
shift
if [[ $1 =~ ^[0-9.]+$ ]]; then
  seconds=$1
else
  started=$EPOCHREALTIME
  "$@"
  seconds=$(echo "$started $EPOCHREALTIME" | awk '{ printf "%.1f", $2 - $1 }')
fi
umask 002
/usr/bin/python3 - "$name" "$seconds" <<'PYTHON'
import fcntl, json, os, sys
path = '/run/comfyui-host/boot.json'
with open(path + '.lock', 'a') as lock:
    fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        with open(path) as file:
            report = json.load(file)
    except FileNotFoundError:
        report = {}
    # The first run of a part counts: it was the start.
    report.setdefault(sys.argv[1], float(sys.argv[2]))
    with open(path + '.new', 'w') as file:
        json.dump(report, file)
    os.replace(path + '.new', path)
PYTHON
echo "comfyui-host: $name took $seconds s"
