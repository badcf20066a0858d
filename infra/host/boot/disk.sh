#!/bin/bash
# Mounts the instance's NVMe disk at /srv/comfyui, for models and ComfyUI: empty at each launch. Without one the root
# disk serves, and a message reports it. A disk that holds data is not formatted.
set -euo pipefail
fast=/srv/comfyui
mkdir -p "$fast"
if mountpoint -q "$fast"; then exit 0; fi

# Deep Learning AMIs mount the disk by this unit at each boot; then their mount is used.
dlami=
if [ -e /etc/systemd/system/dlami-nvme.service ] || [ -e /usr/lib/systemd/system/dlami-nvme.service ]; then
  dlami='dlami-nvme.service'
  systemctl start "$dlami" || true
fi

remember() { grep -qF " $fast " /etc/fstab || echo "$1" >>/etc/fstab; }

while read -r name model; do
  if [ "$model" != 'Amazon EC2 NVMe Instance Storage' ]; then continue; fi
  device=/dev/$name
  mounted=$(lsblk -nro MOUNTPOINT "$device" | grep -m1 '^/' || true)
  if [ -n "$mounted" ]; then
    mkdir -p "$mounted/comfyui"
    mount --bind "$mounted/comfyui" "$fast"
    # After a reboot too it waits for the unit that mounts the disk: otherwise systemd would create the folder on the
    # root disk and bind that. nofail, or the mount would have to precede the network, which that unit waits for.
    waits=x-systemd.requires-mounts-for=$mounted
    if [ -n "$dlami" ]; then waits=x-systemd.requires=$dlami,x-systemd.after=$dlami; fi
    remember "$mounted/comfyui $fast none bind,nofail,$waits 0 0"
    exit 0
  fi
  content=$(lsblk -nro FSTYPE "$device" | grep -m1 . || true)
  if [ -n "$content" ]; then
    echo "comfyui-host: $device holds $content already and is not used" >&2
    continue
  fi
  mkfs.ext4 -q -m 0 -E nodiscard -L comfyui "$device"
  mount -o noatime "$device" "$fast"
  remember "LABEL=comfyui $fast ext4 noatime,nofail 0 2"
  exit 0
done < <(lsblk -dno NAME,MODEL)

echo 'comfyui-host: this instance type has no NVMe disk of its own: models go to the root disk, which is slower and must have room for them' >&2
