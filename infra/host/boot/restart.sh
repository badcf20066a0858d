#!/bin/bash
# Restarts ComfyUI for the host process, when it is stuck. polkit lets its user do this and nothing else.
set -euo pipefail
exec systemctl --no-ask-password restart comfyui.service
