#!/usr/bin/env bash
# tools/build.sh PRESET [TARGET...]: dependencies, configure, build. Quiet but for a line a stage and errors.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
preset=$1
shift
cd "$root"
tools/deps/debian.sh
tools/deps/duckdb.sh

log=$(mktemp)
trap 'rm -f "$log"' EXIT
quietly() {
  if ! "$@" >"$log" 2>&1; then
    # Ninja's own progress is not what one looks for.
    grep -vE '^\[[0-9]+/[0-9]+\] (Building|Linking|Generating|Creating)' "$log" | tail -n 60 >&2
    exit 1
  fi
}
# What each translation unit costs is noted as it is compiled; ./test compile-times reads it.
# Another build folder or clone with the same sources finds what this one compiled.
export CCACHE_BASEDIR=$root CCACHE_NOHASHDIR=1
export CCACHE_PREFIX=$root/tools/testing/timed_compile.sh PICKET_COMPILE_LOG=$root/build/$preset/compile_times.log
if [ ! -f "build/$preset/build.ninja" ]; then quietly cmake --preset "$preset"; fi
if [ -n "$(ninja -C "build/$preset" -n "$@" 2>/dev/null | grep -m1 '^\[')" ]; then
  echo "Building ($preset) ..." >&2
  quietly ninja -C "build/$preset" "$@"
fi
