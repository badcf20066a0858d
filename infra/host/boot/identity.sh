#!/bin/bash
# Reads the instance's own facts from its metadata (IMDSv2), for the host process. The time of launch is kept in /run:
# after a reboot it would not be that of a start.
set -euo pipefail
if [ -s /etc/comfyui-instance.env ]; then exit 0; fi

metadata=http://169.254.169.254/latest
ask() { curl -fsS --retry 5 --retry-connrefused --connect-timeout 5 "$@"; }
token=$(ask -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 300' "$metadata/api/token")
document=$(ask -H "X-aws-ec2-metadata-token: $token" "$metadata/dynamic/instance-identity/document")
of() { /usr/bin/python3 -c 'import json, sys; print(json.loads(sys.argv[1])[sys.argv[2]])' "$document" "$1"; }

id=$(of instanceId)
address=$(of privateIp)
type=$(of instanceType)
zone=$(of availabilityZone)
launched=$(of pendingTime)
price=
IFS=',' read -ra prices <<<"${USD_PER_HOUR_BY_TYPE:-}"
for entry in ${prices[@]+"${prices[@]}"}; do
  if [ "${entry%%=*}" = "$type" ]; then price=${entry#*=}; fi
done
if [ -z "$price" ]; then
  echo "comfyui-host: USD_PER_HOUR_BY_TYPE has no price of $type; jobs will not say what they cost" >&2
fi

{
  echo "INSTANCE_ID=$id"
  echo "AVAILABILITY_ZONE=$zone"
  echo "INTAKE_HOST=$address"
  echo "INTAKE_URL=http://$address:${INTAKE_PORT:-5002}"
  if [ -n "$price" ]; then echo "USD_PER_HOUR=$price"; fi
} >/etc/comfyui-instance.env.new
echo "LAUNCHED_AT=$launched" >/run/comfyui-host/launched.env
mv /etc/comfyui-instance.env.new /etc/comfyui-instance.env
