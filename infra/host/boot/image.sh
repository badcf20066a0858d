#!/bin/bash
# Runs on the machine from which EC2 Image Builder makes the hosts' image: Node and the bundle are installed; ComfyUI is
# installed as on a host, to a path that no disk covers. The user data runs it as root, with the settings exported.
set -euo pipefail
umask 022
boot=/opt/comfyui-host/boot
fast=/srv/comfyui
baked=/opt/comfyui-app
user=comfyui-setup

if ! id "$user" >/dev/null 2>&1; then
  useradd --system --user-group --home-dir "/var/lib/$user" --no-create-home --shell /usr/sbin/nologin "$user"
fi
install -d -o "$user" -g "$user" -m 755 "$fast" "/var/lib/$user"
bash "$boot/tools.sh"
HOME=/var/lib/$user AWS_EC2_METADATA_V1_DISABLED=true \
  setpriv --reuid="$user" --regid="$user" --init-groups --no-new-privs "$boot/install.sh"
rm -rf "$baked"
mv "$fast/app" "$baked"
# Its programs contain the path that hosts use.
chown -R root:root "$baked"
# Each host has its own. Without it the unit below runs: once, at a host's first boot.
rm -f /etc/comfyui-host.env
install -m 644 "$boot/comfyui-early.unit" /etc/systemd/system/comfyui-early.service
systemctl enable --quiet comfyui-early.service
echo "comfyui-host: $(cat "$baked/.installed") is in the image"
