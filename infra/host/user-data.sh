#!/bin/bash
# First boot of a GPU host, the builder (BOOT=build), the seeder (BOOT=seed) or the image's machine (BOOT=image): settings,
# Node, the bundle; the rest is in the bundle. CDK replaces the marked line by the settings. Idempotent.
set -euo pipefail
umask 022
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

node_version=24.11.1
node_sha256=60e3b0a8500819514aca603487c254298cd776de0698d3cd08f11dba5b8289a8

step='writing the settings'
trap 'echo "comfyui-host: the boot failed while $step; see /var/log/cloud-init-output.log. Without a registered host the controller ends this instance after 15 minutes" >&2' ERR

# The hosts' own image runs this script before cloud-init does (boot/comfyui-early.unit): one run at a time.
exec 9>/run/comfyui-host.lock
flock 9
# By a rename: in a second run units read the file.
install -m 600 /dev/stdin /etc/comfyui-host.env.new <<'SETTINGS'
@SETTINGS@
SETTINGS
mv /etc/comfyui-host.env.new /etc/comfyui-host.env
while IFS='=' read -r name value; do
  if [ -n "$name" ]; then export "$name=$value"; fi
done </etc/comfyui-host.env
leave() {
  rm -rf "${tmp:-}"
  # Whatever the result.
  if [ "$BOOT" = seed ]; then shutdown -h now; fi
}
names=(AWS_REGION MODELS_BUCKET HOST_ASSET)
trap leave EXIT
case ${BOOT:=setup} in
  # A hung builder must end itself.
  build)
    shutdown -h +60
    names+=(COMFYUI_VERSION)
    ;;
  # The seeder too: 4 h are 57 GB at 4 MB/s.
  seed)
    shutdown -h +240
    names+=(HUB_TOKEN_PARAMETER)
    ;;
  # Image Builder ends its own.
  image) names+=(COMFYUI_VERSION) ;;
  *) names+=(COMFYUI_VERSION TABLE_PREFIX IMAGES_BUCKET AUTO_SCALING_GROUP RELEASE IDLE_MINUTES METRICS_NAMESPACE) ;;
esac
for name in "${names[@]}"; do
  if [ -z "${!name:-}" ]; then
    echo "comfyui-host: the user data of the launch template has no $name; deploy the GPU hosts' stack again" >&2
    exit 1
  fi
done

tmp=$(mktemp -d)
seconds_since() { echo "$1 $EPOCHREALTIME" | awk '{ printf "%.1f", $2 - $1 }'; }

step="installing Node $node_version"
started=$EPOCHREALTIME
if [ ! -x "/opt/node-v$node_version/bin/node" ]; then
  curl -fsSL --retry 5 --retry-all-errors --connect-timeout 10 -o "$tmp/node.tar.xz" \
    "https://nodejs.org/dist/v$node_version/node-v$node_version-linux-x64.tar.xz"
  echo "$node_sha256  $tmp/node.tar.xz" | sha256sum --check --quiet
  mkdir "$tmp/node"
  tar -xJf "$tmp/node.tar.xz" -C "$tmp/node" --strip-components=1 --no-same-owner
  chmod 755 "$tmp/node"
  mv "$tmp/node" "/opt/node-v$node_version"
fi
ln -sfn "node-v$node_version" /opt/node
node_seconds=$(seconds_since "$started")

step="fetching the bundle $HOST_ASSET"
started=$EPOCHREALTIME
if [ "$(cat /opt/comfyui-host/.asset 2>/dev/null)" != "$HOST_ASSET" ]; then
  # The role's first credentials may take seconds.
  for wait in 1 2 4 8 0; do
    if aws s3 cp --only-show-errors --region "$AWS_REGION" "$HOST_ASSET" "$tmp/bundle.zip"; then break; fi
    if [ "$wait" = 0 ]; then false; fi
    sleep "$wait"
  done
  mkdir "$tmp/bundle"
  /usr/bin/python3 -m zipfile -e "$tmp/bundle.zip" "$tmp/bundle"
  echo "$HOST_ASSET" >"$tmp/bundle/.asset"
  # Python's zip keeps no modes.
  chmod -R u=rwX,go=rX "$tmp/bundle"
  chmod 755 "$tmp/bundle" "$tmp"/bundle/boot/*.sh
  rm -rf /opt/comfyui-host
  mv "$tmp/bundle" /opt/comfyui-host
fi
bundle_seconds=$(seconds_since "$started")

step='setting up the services'
bash "/opt/comfyui-host/boot/$BOOT.sh" "$node_seconds" "$bundle_seconds"
