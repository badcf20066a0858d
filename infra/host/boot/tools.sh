#!/bin/bash
# What the image lacks of the tools that an installation takes. Run as root.
set -euo pipefail
missing=()
for tool in git zstd; do
  command -v "$tool" >/dev/null || missing+=("$tool")
done
/usr/bin/python3 -c 'import ensurepip' 2>/dev/null || missing+=(python3-venv)
if [ ${#missing[@]} -gt 0 ]; then
  echo "comfyui-host: the image lacks ${missing[*]}; installing"
  apt-get -o DPkg::Lock::Timeout=120 update -qq
  DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120 install -y -qq "${missing[@]}"
fi
