#!/usr/bin/env bash
# small_kernel.sh CACHE: builds a 32-bit ARM kernel without BTF, bpf(), audit and PROC_EVENTS from Debian's linux-source-6.1, since no
# kernel package of Debian 12 lacks all of them (armmp-lpae lacks only BTF). Prints where it is; kept in CACHE.
# Minutes, and 1.5 GiB in CACHE while it builds. Needs the packages bc, bison, flex and clang-19, lld-19, llvm-19.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cache=$(realpath -m "$1")
mkdir -p "$cache"
exec 9>"$cache/small-kernel.lock"
flock 9
version=$(apt-cache show --no-all-versions linux-source-6.1 | sed -n 's/^Version: //p')
image="$cache/small-$version-$(sha256sum <"$here/small_kernel.config" | head -c 12).zImage"
if [ ! -e "$image" ]; then
  for tool in bc bison flex clang-19 ld.lld-19 llvm-objcopy-19; do
    command -v "$tool" >/dev/null || { echo "small_kernel.sh: $tool is missing; apt-get install bc bison flex clang-19 lld-19 llvm-19" >&2; exit 1; }
  done
  echo "Building a small kernel from linux-source-6.1 $version ..." >&2
  "$here/../../tools/deps/unpack_packages.sh" amd64 "$cache/linux-source" linux-source-6.1 >&2
  work=$(mktemp -d -p "$cache" small-build.XXXXXX)
  trap 'rm -rf "$work"' EXIT
  tar -xf "$cache"/linux-source/usr/src/linux-source-6.1.tar.xz -C "$work" --strip-components=1
  log="$work/build.log"
  make_kernel() { nice -n "${PICKET_NICE:-5}" make -C "$work" -j"$(nproc)" ARCH=arm LLVM=-19 KBUILD_BUILD_TIMESTAMP=@1 "$@" >>"$log" 2>&1; }
  if ! { make_kernel KCONFIG_ALLCONFIG="$here/small_kernel.config" allnoconfig && make_kernel zImage; }; then
    tail -n 40 "$log" >&2
    exit 1
  fi
  # A line that the kernel's rules took back would make a test that shows nothing.
  while read -r line; do
    case $line in CONFIG_*) grep -qx "$line" "$work/.config" || { echo "small_kernel.sh: $line was not taken" >&2; exit 1; } ;; esac
  done <"$here/small_kernel.config"
  cp "$work/arch/arm/boot/zImage" "$image.new"
  mv "$image.new" "$image"
  rm -rf "$cache/linux-source"
fi
echo "$image"
