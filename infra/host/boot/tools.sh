#!/bin/bash
# Installs tools that an installation needs and the image does not have. As root.
set -euo pipefail

# Ubuntu upgrades itself from the first minute on and may hold apt's locks for minutes. apt-get waits at most for dpkg's
# lock (DPkg::Lock::Timeout), never for those of its lists and archives: so the call is repeated until it has them.
patience=${APT_PATIENCE_SECONDS:-600}
apt() {
  local said='' output
  until output=$(LC_ALL=C DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 apt-get -qq "$@" 2>&1); do
    if [[ $output != *'Could not get lock'* ]] || [ "$SECONDS" -ge "$patience" ]; then
      echo "$output" >&2
      return 1
    fi
    if [ -z "$said" ]; then echo "comfyui-host: waits at most $patience s for apt: ${output%%$'\n'*}"; fi
    said=yes
    sleep 1
  done
}

missing=()
for tool in git zstd; do
  command -v "$tool" >/dev/null || missing+=("$tool")
done
/usr/bin/python3 -c 'import ensurepip' 2>/dev/null || missing+=(python3-venv)
if [ ${#missing[@]} -gt 0 ]; then
  echo "comfyui-host: the image lacks ${missing[*]}; installing"
  apt update
  apt install -y "${missing[@]}"
fi
