#!/bin/bash
# The seeder: fetches the models from the hub into the bucket and reports its progress on the console. The user data runs
# it as root, with the settings exported, and ends the machine whatever the result. `npm run models -- seed --in-region`
# starts it only after the licence was accepted.
set -euo pipefail
if ! /opt/node/bin/node /opt/comfyui-host/models.mjs seed --accept-licence 2>&1 | sed -u 's/^/comfyui-models: /'; then
  echo 'comfyui-models: not all models are in the bucket; npm run models -- seed --in-region goes on where this one ended' >&2
  exit 1
fi
