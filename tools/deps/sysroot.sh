#!/usr/bin/env bash
# sysroot.sh ARCH DIR: headers and static libraries of Debian's ARCH (arm64, armhf, amd64, riscv64) for a cross build, below DIR.
set -euo pipefail
here=$(dirname "$0")
[ "$1" != riscv64 ] || exec "$here/sysroot_riscv64.sh" "$2"
exec "$here/unpack_packages.sh" "$1" "$2" libc6-dev libc6 linux-libc-dev libcrypt-dev libstdc++-12-dev libgcc-12-dev libgcc-s1 \
  libmbedtls-dev libc-ares-dev zlib1g-dev libbpf-dev libgtest-dev libgmock-dev
