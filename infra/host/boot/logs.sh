#!/bin/bash
# Sends the host's log and metrics (embedded metric format) to CloudWatch, by the Deep Learning AMI's own agent.
# Without LOG_GROUP or the agent they stay on the machine, and a message reports it.
set -euo pipefail
agent=/opt/aws/amazon-cloudwatch-agent/bin/amazon-cloudwatch-agent-ctl
if [ -z "${LOG_GROUP:-}" ]; then
  echo 'comfyui-host: no LOG_GROUP: logs stay in /var/log/comfyui-host' >&2
  exit 0
fi
if [ ! -x "$agent" ]; then
  echo "comfyui-host: $agent is not there: this AMI has no CloudWatch agent" >&2
  exit 1
fi
config=/etc/comfyui-host.cloudwatch.json
cat >"$config" <<JSON
{
  "agent": { "region": "$AWS_REGION" },
  "logs": {
    "logs_collected": {
      "files": {
        "collect_list": [
          { "file_path": "/var/log/comfyui-host/*.log", "log_group_name": "$LOG_GROUP", "log_stream_name": "{instance_id}" }
        ]
      }
    }
  }
}
JSON
"$agent" -a fetch-config -m ec2 -s -c "file:$config"
