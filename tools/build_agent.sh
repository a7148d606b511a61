#!/usr/bin/env bash
# tools/build_agent.sh ARCH [CMAKE_OPTION...]: the agent alone, for amd64, arm64, armhf or riscv64. Prints where it is.
# tools/build_agent.sh tests ARCH: the tests of its code instead, static; prints the build folder (programs in tests/ and fuzz/).
# tools/build_agent.sh sizes [ARCH...]: builds them and prints the stripped sizes, e.g. "binary_aarch64_kib 1441".
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
arch=${1:-}
if [ "$arch" = sizes ]; then
  shift
  [ $# -gt 0 ] || set -- amd64 arm64 armhf riscv64
  for each in "$@"; do
    program=$("$0" "$each")
    bytes=$(stat -c %s "$root/$program")
    echo "binary_${each/arm64/aarch64}_kib $(((bytes + 1023) / 1024))"
  done
  exit
fi
target=picket-agent
folder=agent
if [ "$arch" = tests ]; then
  target=picket_device_tests
  folder=agent-tests
  shift
  arch=${1:-}
fi
case $arch in
  amd64 | arm64 | armhf | riscv64) ;;
  *)
    echo "Usage: tools/build_agent.sh amd64|arm64|armhf|riscv64 [CMAKE_OPTION...]" >&2
    echo "       tools/build_agent.sh tests ARCH [CMAKE_OPTION...]" >&2
    echo "       tools/build_agent.sh sizes [ARCH...]" >&2
    echo "  e.g. -DPICKET_COLLECTORS=\"process;network;login\" leaves the other collectors out" >&2
    exit 2 ;;
esac
shift
cd "$root"
tools/deps/debian.sh
build="build/$folder-$arch"
sysroot="$root/build/sysroot-$arch"
tools/deps/sysroot.sh "$arch" "$sysroot"
more_libraries=()
[[ " $* " != *"PICKET_AGENT_ZSTD=ON "* ]] || more_libraries=(libzstd)
tools/deps/agent_libraries.sh "$arch" "$sysroot" "$root/build/libraries-$arch" "${more_libraries[@]}"
set -- -DPICKET_LIBRARIES="$root/build/libraries-$arch" "$@"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
quietly() {
  if ! "$@" >"$log" 2>&1; then
    grep -vE '^\[[0-9]+/[0-9]+\] (Building|Linking|Generating|Creating)' "$log" | tail -n 40 >&2
    exit 1
  fi
}
export CCACHE_BASEDIR=$root CCACHE_NOHASHDIR=1
options=(-DPICKET_ARCH="$arch" -DPICKET_SYSROOT="$sysroot")
[ "$folder" = agent ] || options+=(-DPICKET_DEVICE_TESTS=ON -DPICKET_DEVICE_LTO=OFF)
quietly cmake --preset agent -B "$build" "${options[@]}" "$@"
echo "Building the ${folder/-/ } for $arch ..." >&2
quietly ninja -C "$build" "$target"
if [ "$folder" != agent ]; then
  echo "$build"
  exit
fi
llvm-strip-19 -o "$build/picket-agent" "$build/bin/picket-agent"
# The rules of the collector baseline go with the program: packages take both from here.
/usr/bin/python3 tools/baseline/compile.py --quiet -o "$build/baseline.bin" content/baseline/*.yaml
echo "$build/picket-agent"
