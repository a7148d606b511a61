#!/usr/bin/env bash
# sysroot.sh ARCH DIR: headers and static libraries of Debian's ARCH (arm64, armhf, amd64) for a cross build, unpacked below DIR.
# Uses package lists of its own: this machine's architectures and packages stay as they are.
set -euo pipefail
arch=$1
root=$2
[ "$arch" != riscv64 ] || exec "$(dirname "$0")/sysroot_riscv64.sh" "$root"
packages=(libc6-dev libc6 linux-libc-dev libcrypt-dev libstdc++-12-dev libgcc-12-dev libgcc-s1 libmbedtls-dev libc-ares-dev
  zlib1g-dev libbpf-dev)
stamp="$root/.complete"
[ -e "$stamp" ] && [ "$(cat "$stamp")" = "${packages[*]}" ] && exit 0

echo "Fetching what a build for $arch needs ..." >&2
rm -rf "$root"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$root" "$work"/{lists/partial,cache/archives/partial,state,packages}
: >"$work/state/status"
chmod 755 "$work"
options=(-o "APT::Architecture=$arch" -o "APT::Architectures=$arch" -o "Dir::State=$work/state" -o "Dir::State::Lists=$work/lists"
  -o "Dir::State::status=$work/state/status" -o "Dir::Cache=$work/cache" -o "APT::Sandbox::User=root" -o "Acquire::Retries=3")
log="$work/log"
fetch() {
  # One list may be out of step for minutes while a mirror is updated; what counts is that the packages arrive.
  apt-get "${options[@]}" update || true
  cd "$work/packages" && apt-get "${options[@]}" download "${packages[@]}"
}
if ! (fetch) >"$log" 2>&1; then
  tail -n 20 "$log" >&2
  exit 1
fi
for package in "$work"/packages/*.deb; do dpkg-deb -x "$package" "$root"; done
echo "${packages[*]}" >"$stamp"
