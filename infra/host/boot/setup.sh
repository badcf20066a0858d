#!/bin/bash
# Users, folders and units of a GPU host, and their start. The user data runs it as root, with the settings exported.
# Idempotent: it keeps what is in place.
# Arguments: the seconds that Node and the bundle took.
set -euo pipefail
umask 022
boot=/opt/comfyui-host/boot
fast=/srv/comfyui

# Three users: the installer cannot act as ComfyUI, and ComfyUI cannot read the AWS credentials of the host.
for user in comfyui comfyui-setup comfyui-host; do
  if ! id "$user" >/dev/null 2>&1; then
    useradd --system --user-group --home-dir "/var/lib/$user" --no-create-home --shell /usr/sbin/nologin "$user"
  fi
done
# The host process deletes what ended jobs leave in ComfyUI's folders.
usermod --append --groups comfyui comfyui-host

install -m 644 "$boot/comfyui-host.conf" /etc/tmpfiles.d/comfyui-host.conf
systemd-tmpfiles --create /etc/tmpfiles.d/comfyui-host.conf
"$boot/part.sh" node "${1:-0}"
"$boot/part.sh" bundle "${2:-0}"
"$boot/part.sh" nvme "$boot/disk.sh"
"$boot/part.sh" identity "$boot/identity.sh"

install -d -o comfyui-setup -g comfyui-setup -m 755 "$fast" "$fast/data" "$fast/data/models" "$fast/data/custom_nodes"
# The group may delete in these folders, and new files inherit it.
install -d -o comfyui -g comfyui -m 2775 "$fast/data/input" "$fast/data/output" "$fast/data/temp" "$fast/data/user"

install -m 644 "$boot/comfyui-host.sysctl.conf" /etc/sysctl.d/60-comfyui-host.conf
sysctl --quiet --load=/etc/sysctl.d/60-comfyui-host.conf || echo 'comfyui-host: models are written at the pace of the disk' >&2

install -m 644 "$boot"/*.service /etc/systemd/system/
gpus=$("$boot/gpus.sh")
for gpu in $gpus; do install -d -o comfyui -g comfyui -m 2775 "$fast/data/$gpu"; done
# The longest part first: it depends on nothing below.
systemctl daemon-reload
systemctl start --no-block comfyui-models.service

bash "$boot/tools.sh" || echo 'comfyui-host: tools are missing: ComfyUI can only be had from the archive, if at all' >&2

# Lets the host process restart a stuck ComfyUI.
install -D -m 644 "$boot/comfyui-restart.rules" /etc/polkit-1/rules.d/50-comfyui-restart.rules
install -m 644 "$boot/comfyui-host.logrotate" /etc/logrotate.d/comfyui-host
install -D -m 644 "$boot/comfyui-host.needrestart.conf" /etc/needrestart/conf.d/comfyui-host.conf
units=()
for unit in "$boot"/*.service; do units+=("$(basename "$unit")"); done
for gpu in $gpus; do units+=("comfyui-$gpu.service"); done
systemctl enable --quiet "${units[@]}"
systemctl start --no-block "${units[@]}"
"$boot/logs.sh" || echo 'comfyui-host: logs and metrics do not reach CloudWatch; the host works without' >&2
