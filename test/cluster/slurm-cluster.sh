#!/usr/bin/env bash
# A real Slurm on one machine: every node has a network namespace, host name, address and hosts file of its own, four cores and two GPUs
# that Slurm takes for real. Needs root, iproute2, slurmctld, slurmd, slurm-client, munge. All of it lies in FOLDER and in namespaces
# that bear its name: nothing of the system is changed, and several can stand at once.
#   slurm-cluster.sh up FOLDER NODES
#   slurm-cluster.sh hosts FOLDER NODES             the hosts alone, without Slurm
#   slurm-cluster.sh on FOLDER NODE COMMAND...     NODE: login, node1, node2, ...
#   slurm-cluster.sh link FOLDER NODE up|down
#   slurm-cluster.sh down FOLDER
set -euo pipefail

verb=$1
folder=$(realpath -m "$2")
shift 2
name=$(basename "$folder")
export SLURM_CONF=$folder/slurm.conf

# Without `ip netns exec`, which would mount /sys anew.
on() {
  local node=$1
  shift
  # shellcheck disable=SC2016 # expanded on the node
  exec nsenter --net="/run/netns/$name-$node" unshare --uts --mount bash -c \
    'hostname "$1"; mount --bind "$2" /etc/hosts; shift 2; exec "$@"' bash "$node" "$folder/hosts" "$@"
}

add_node() {
  local node=$1 address=$2
  ip netns add "$name-$node"
  ip link add e0 netns "$name-$node" type veth peer name "p-$node" netns "$name-switch"
  ip -n "$name-switch" link set "p-$node" master br0 up
  ip -n "$name-$node" addr add "$address/24" dev e0
  ip -n "$name-$node" link set e0 up
  ip -n "$name-$node" link set lo up
  echo "$address $node" >>"$folder/hosts"
}

link() {
  ip -n "$name-switch" link set "p-$1" "$2"
}

network() {
  ip netns add "$name-switch"
  ip -n "$name-switch" link add br0 type bridge
  ip -n "$name-switch" link set br0 up
  echo "127.0.0.1 localhost" >"$folder/hosts"
  add_node login 10.77.0.1
  for i in $(seq "$1"); do add_node "node$i" "10.77.0.$((10 + i))"; done
}

configure() {
  cat >"$SLURM_CONF" <<CONF
ClusterName=ring
SlurmctldHost=login(10.77.0.1)
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$folder/munge/socket,cred_expire=5
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool/%n
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd-%n.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=bf_interval=1,sched_min_interval=0,batch_sched_delay=0
SlurmdParameters=config_overrides
MpiDefault=none
ReturnToService=2
KillWait=5
SlurmdTimeout=10
MailProg=/bin/true
GresTypes=gpu
NodeName=node[1-$1] CPUs=4 RealMemory=4000 Gres=gpu:2 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=1-00:00:00 State=UP
PartitionName=short Nodes=node1 MaxTime=10 State=UP
CONF
  # Slurm hands out character devices: these stand for GPUs.
  echo "NodeName=node[1-$1] Name=gpu File=/dev/tty[10-11]" >"$folder/gres.conf"
}

munge() {
  install -d -m 700 "$folder/munge/key"
  head -c 128 /dev/urandom >"$folder/munge/key/munge.key"
  chmod 600 "$folder/munge/key/munge.key"
  chmod 755 "$folder/munge"
  munged --force --key-file="$folder/munge/key/munge.key" --socket="$folder/munge/socket" --pid-file="$folder/munge/munged.pid" \
    --log-file="$folder/munge/munged.log" --seed-file="$folder/munge/seed"
}

daemon() {
  local node=$1
  shift
  setsid "${BASH_SOURCE[0]}" on "$folder" "$node" "$@" </dev/null >"$folder/$node.out" 2>&1 &
}

up() {
  local nodes=$1 idle
  mkdir -p "$folder"/{state,spool}
  network "$nodes"
  configure "$nodes"
  munge
  daemon login slurmctld -D
  for i in $(seq "$nodes"); do
    mkdir -p "$folder/spool/node$i"
    daemon "node$i" slurmd -D -N "node$i"
  done
  for _ in $(seq 300); do
    idle=$("${BASH_SOURCE[0]}" on "$folder" login sinfo --noheader --partition=main --format='%D %t' 2>/dev/null || true)
    [ "$idle" = "$nodes idle" ] && return 0
    sleep 0.1
  done
  echo "the nodes did not come up: $idle" >&2
  tail -n 20 "$folder"/*.log "$folder"/*.out >&2
  return 1
}

hosts() {
  mkdir -p "$folder"
  network "$1"
}

down() {
  local pid_file pid space
  for pid_file in "$folder"/slurmd-*.pid "$folder/slurmctld.pid" "$folder/munge/munged.pid"; do
    [ -f "$pid_file" ] || continue
    pid=$(cat "$pid_file" 2>/dev/null) || continue
    kill "$pid" 2>/dev/null || continue
    while kill -0 "$pid" 2>/dev/null; do sleep 0.05; done
  done
  for space in $(ip netns list | awk '{ print $1 }' | grep "^$name-"); do
    # Such as a daemon that never came to writing its number.
    for pid in $(ip netns pids "$space"); do kill -KILL "$pid" 2>/dev/null || true; done
    ip netns del "$space"
  done
}

"$verb" "$@"
