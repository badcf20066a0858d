#!/bin/bash
# A ComfyUI for each GPU: a unit for each after the first, and what makes the host process know all of them. With one GPU
# it writes nothing.
# Arguments: the folder of the units. Prints gpu1, gpu2, … : unit comfyui-gpu1.service, temporary files below data/gpu1.
set -euo pipefail
units=${1:-/etc/systemd/system}
boot=$(dirname "$0")
gpus=$(nvidia-smi --list-gpus) || gpus=
count=$(grep -c '^GPU ' <<<"$gpus") || count=1
if [ -z "$gpus" ]; then echo 'comfyui-host: nvidia-smi lists no GPU; one ComfyUI is started' >&2; fi

names=()
urls=http://127.0.0.1:8188
for ((n = 1; n < count; n += 1)); do
  port=$((8188 + n))
  # A ComfyUI empties its temporary folder at its start: that of another would lose files.
  sed -e "s|^Description=.*|Description=ComfyUI on GPU $n, on loopback only|" \
    -e "s|nvidia-modprobe -c 0|nvidia-modprobe -c $n|" \
    -e "s|--port 8188|--port $port --cuda-device $n --temp-directory /srv/comfyui/data/gpu$n|" \
    -e "s|/user/comfyui.db|/user/comfyui-gpu$n.db|" \
    -e "/^ReadWritePaths=/s|\$| /srv/comfyui/data/gpu$n|" \
    "$boot/comfyui.service" >"$units/comfyui-gpu$n.service"
  names+=("comfyui-gpu$n.service")
  urls+=",http://127.0.0.1:$port"
  echo "gpu$n"
done
if [ "${#names[@]}" -eq 0 ]; then exit 0; fi

mkdir -p "$units/comfyui-host.service.d"
cat >"$units/comfyui-host.service.d/gpus.conf" <<END
[Unit]
After=${names[*]}
Wants=${names[*]}

[Service]
Environment=COMFYUI_HOST= COMFYUI_URLS=$urls
END
