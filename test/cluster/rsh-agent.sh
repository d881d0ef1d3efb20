#!/usr/bin/env bash
# Stands in for ssh among the hosts of slurm-cluster.sh: rsh-agent.sh HOST COMMAND...
set -euo pipefail
host=$1
shift
exec "$(dirname "${BASH_SOURCE[0]}")/slurm-cluster.sh" on "$HOSTS_FOLDER" "$host" sh -c "$*"
