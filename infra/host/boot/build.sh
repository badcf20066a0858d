#!/bin/bash
# The builder: installs ComfyUI as on a GPU host, stores it in the models bucket for the hosts, and terminates this machine.
# The user data runs it as root, with the settings exported. It runs no graph, and no host has its role.
set -euo pipefail
umask 022
boot=/opt/comfyui-host/boot
fast=/srv/comfyui
user=comfyui-setup
code=0
trap 'code=$?
  if [ $code != 0 ]; then echo "comfyui-host: ComfyUI was not stored for the hosts (code $code); run this builder again" >&2; fi
  shutdown -h now' EXIT

if ! id "$user" >/dev/null 2>&1; then
  useradd --system --user-group --home-dir "/var/lib/$user" --no-create-home --shell /usr/sbin/nologin "$user"
fi
install -d -o "$user" -g "$user" -m 755 "$fast" "/var/lib/$user"
bash "$boot/tools.sh"
HOME=/var/lib/$user AWS_EC2_METADATA_V1_DISABLED=true \
  setpriv --reuid="$user" --regid="$user" --init-groups --no-new-privs "$boot/install.sh" store
