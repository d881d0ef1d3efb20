#!/usr/bin/env bash
# Where no registry of images can be reached: an image of this machine's Node, npm and shell tools that goes by the name of the one in
# deploy/Dockerfile, so that the Dockerfile is tested as it is. Debian's user `node` and its libraries are where the real one has them.
#   stand-in-base.sh NAME
set -euo pipefail
name=$1
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT

mkdir -p "$root"/usr/{bin,sbin,lib,lib64,local/bin} "$root"/{etc,tmp,proc,sys,dev,root,home/node}
chmod 1777 "$root/tmp"
for folder in bin sbin lib lib64; do ln -s "usr/$folder" "$root/$folder"; done

library() {
  local target=$1
  case $target in /usr/*) ;; *) target=/usr$target ;; esac
  [ -e "$root$target" ] || install -D "$(readlink -f "$1")" "$root$target"
}
program() {
  local from
  from=$(readlink -f "$(type -P "$1")")
  install -D "$from" "$root/usr/bin/$1"
  { ldd "$from" 2>/dev/null || true; } | { grep -oE '/[^ ]+' || true; } | while read -r file; do library "$file"; done
}

for one in node bash sh env tar gzip grep sed find xargs; do program "$one"; done
# All of coreutils, as Debian has them.
dpkg -L coreutils | { grep -E '^/(usr/)?bin/' || true; } | while read -r file; do program "$(basename "$file")"; done
# What native packages may want: the C library whole, and the compiler's.
{ dpkg -L libc6 | grep -E '/lib[^/]+\.so\.[0-9]+$'; echo /usr/lib/x86_64-linux-gnu/lib{stdc++.so.6,gcc_s.so.1} | tr ' ' '\n'; } |
  while read -r file; do library "$file"; done
mkdir -p "$root/usr/lib/node_modules"
cp -r "$(npm root --global)/npm" "$root/usr/lib/node_modules/npm"
ln -s ../lib/node_modules/npm/bin/npm-cli.js "$root/usr/bin/npm"

cp /etc/nsswitch.conf "$root/etc/"
printf 'root:x:0:0:root:/root:/bin/bash\nnode:x:1000:1000::/home/node:/bin/bash\n' > "$root/etc/passwd"
printf 'root:x:0:\nnode:x:1000:\n' > "$root/etc/group"
chown 1000:1000 "$root/home/node"
changes=(-c 'CMD ["node"]')
# A registry behind a certificate that only this machine knows.
if [ -n "${NODE_EXTRA_CA_CERTS:-}" ]; then
  install -D "$NODE_EXTRA_CA_CERTS" "$root/etc/ssl/certs/ca-certificates.crt"
  changes+=(-c 'ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt')
fi
tar -C "$root" -c . | docker import "${changes[@]}" - "$name"
