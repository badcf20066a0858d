#!/bin/bash
# Restarts a stuck ComfyUI for the host process. polkit permits its user this and nothing else.
set -euo pipefail
# The host process says which one by its address: gpus.sh gives each GPU's a port.
port=${COMFYUI_URL:-http://127.0.0.1:8188}
gpu=$((${port##*:} - 8188))
unit=comfyui.service
if [ "$gpu" -gt 0 ]; then unit=comfyui-gpu$gpu.service; fi
exec systemctl --no-ask-password restart "$unit"
