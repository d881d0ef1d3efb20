#!/usr/bin/env bash
# Stands in for pods on one machine: each has a network namespace with an address of its own, a host name, the names of the others, a root
# that can't be written to, and the user 1000 without any capability. Needs root, iproute2, util-linux and overlayfs. All of it lies in FOLDER
# and in namespaces that bear its name.
#   pods.sh up FOLDER NAME...         NAME: of a pod; NAME=ALIAS,ALIAS: with further names, as a Service gives them
#   pods.sh on FOLDER NAME MOUNT... -- COMMAND...    MOUNT: SOURCE:TARGET[:ro], a folder of this machine as a volume of the pod
#   pods.sh down FOLDER
set -euo pipefail

verb=$1
folder=$(realpath -m "$2")
shift 2
name=$(basename "$folder")

up() {
  local number=10 pod aliases
  mkdir -p "$folder"
  ip netns add "$name-switch"
  ip -n "$name-switch" link add br0 type bridge
  ip -n "$name-switch" link set br0 up
  echo "127.0.0.1 localhost" >"$folder/hosts"
  for pod in "$@"; do
    aliases=${pod#*=}
    pod=${pod%%=*}
    [ "$aliases" = "$pod" ] && aliases=
    number=$((number + 1))
    ip netns add "$name-$pod"
    # Names of interfaces have at most 15 characters.
    ip link add eth0 netns "$name-$pod" type veth peer name "pod$number" netns "$name-switch"
    ip -n "$name-switch" link set "pod$number" master br0 up
    ip -n "$name-$pod" addr add "10.78.0.$number/24" dev eth0
    ip -n "$name-$pod" link set eth0 up
    ip -n "$name-$pod" link set lo up
    echo "10.78.0.$number $pod ${aliases//,/ }" >>"$folder/hosts"
  done
}

# Without `ip netns exec`, which would mount /sys anew. The signals of whoever started this reach the command: everything here ends in exec.
on() {
  local pod=$1
  shift
  exec nsenter --net="/run/netns/$name-$pod" unshare --uts --mount "${BASH_SOURCE[0]}" inside "$folder" "$pod" "$@"
}

inside() {
  local pod=$1 root=/mnt source target mode
  shift
  hostname "$pod"
  # In memory: an overlay can't lie on another one.
  mount -t tmpfs tmpfs /mnt
  mkdir /mnt/{upper,work,root}
  mount -t overlay overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work /mnt/root
  root=/mnt/root
  mount --rbind /proc "$root/proc"
  mount --rbind /dev "$root/dev"
  mount --rbind /sys "$root/sys"
  # A pod's own, small, as runtimes give it.
  mount -t tmpfs -o size=64m tmpfs "$root/dev/shm"
  mount -t tmpfs -o size=1g,mode=1777 tmpfs "$root/tmp"
  cp "$folder/hosts" "$root/etc/hosts"
  while [ "$1" != -- ]; do
    IFS=: read -r source target mode <<<"$1"
    mkdir -p "$root$target"
    mount --rbind "$source" "$root$target"
    [ "${mode:-rw}" = rw ] || mount -o remount,bind,ro "$root$target"
    shift
  done
  shift
  mount -o remount,ro "$root"
  # shellcheck disable=SC2016 # expanded inside
  exec chroot "$root" bash -c 'cd /opt/ringstrasse && exec setpriv --reuid=1000 --regid=1000 --clear-groups --bounding-set=-all \
    --inh-caps=-all --no-new-privs "$@"' bash "$@"
}

down() {
  ip netns list | awk '{ print $1 }' | grep "^$name-" | while read -r space; do ip netns del "$space"; done || true
}

"$verb" "$@"
