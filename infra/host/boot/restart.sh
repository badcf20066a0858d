#!/bin/bash
# Restarts a stuck ComfyUI for the host process. polkit permits its user this and nothing else.
set -euo pipefail
exec systemctl --no-ask-password restart comfyui.service
