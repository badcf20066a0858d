#!/bin/bash
# The machine of which the hosts' image is made (EC2 Image Builder): Node and the bundle are there by now, ComfyUI is installed
# as a host would, to where no disk is mounted over it. Run by the user data as root, with the settings exported.
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
# Its programs name the place where hosts have it.
chown -R root:root "$baked"
# A host has its own.
rm -f /etc/comfyui-host.env
echo "comfyui-host: $(cat "$baked/.installed") is in the image"
