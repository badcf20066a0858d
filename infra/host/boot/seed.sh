#!/bin/bash
# The seeder: fetches the models from the hub into the bucket, and says how far it is on the console. Run by the user data as
# root, with the settings exported; that ends the machine, whatever comes of this. `npm run models -- seed --in-region` starts
# it for nobody who has not accepted the licence.
set -euo pipefail
if ! /opt/node/bin/node /opt/comfyui-host/models.mjs seed --accept-licence 2>&1 | sed -u 's/^/comfyui-models: /'; then
  echo 'comfyui-models: not all models are in the bucket; npm run models -- seed --in-region goes on where this one ended' >&2
  exit 1
fi
