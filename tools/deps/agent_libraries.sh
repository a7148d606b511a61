#!/usr/bin/env bash
# agent_libraries.sh ARCH SYSROOT DIR [libzstd]: zlib, c-ares and mbedTLS for the agent, built from Debian's sources into DIR/{include,lib}.
# The compiler that builds the agent makes them small, with only what an agent calls: 0.3 MB less than Debian's archives.
set -euo pipefail
arch=$1
sysroot=$(realpath "$2")
root=$(realpath -m "$3")
here=$(cd "$(dirname "$0")" && pwd)
sources=(zlib c-ares mbedtls "${@:4}")
flags="-Oz -flto -fPIC -ffunction-sections -fdata-sections -fstack-protector-strong -D_FORTIFY_SOURCE=2"
made_of="$arch ${sources[*]} $flags $(cat "$0" "$here/mbedtls_config.h" "$here/../../cmake/toolchains/debian-cross.cmake" | sha256sum)"
[ -e "$root/.complete" ] && [ "$(cat "$root/.complete")" = "$made_of" ] && exit 0

echo "Fetching and building the agent's libraries for $arch ..." >&2
rm -rf "$root"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
mkdir -p "$root" "$work"/{lists/partial,cache/archives/partial,state,lists-of-sources,sources}
: >"$work/state/status"
# This machine's own archive, asked for sources; its lists stay as they are.
for list in /etc/apt/sources.list /etc/apt/sources.list.d/*.sources /etc/apt/sources.list.d/*.list; do
  [ -e "$list" ] || continue
  sed 's/^Types: .*/Types: deb-src/; s/^deb /deb-src /' "$list" >"$work/lists-of-sources/$(basename "$list")"
done
[ ! -e "$work/lists-of-sources/sources.list" ] || mv "$work/lists-of-sources/sources.list" "$work/lists-of-sources/main.list"
options=(-o Dir::Etc::sourcelist=/dev/null -o "Dir::Etc::sourceparts=$work/lists-of-sources" -o "Dir::State=$work/state"
  -o "Dir::State::Lists=$work/lists" -o "Dir::State::status=$work/state/status" -o "Dir::Cache=$work/cache" -o APT::Sandbox::User=root
  -o Acquire::Retries=3)
cmake=(cmake -G Ninja -DCMAKE_TOOLCHAIN_FILE="$here/../../cmake/toolchains/debian-cross.cmake" -DPICKET_ARCH="$arch"
  -DPICKET_SYSROOT="$sysroot" -DCMAKE_C_COMPILER=clang-19 -DCMAKE_CXX_COMPILER=clang++-19 -DCMAKE_C_COMPILER_AR=/usr/bin/llvm-ar-19
  -DCMAKE_C_COMPILER_RANLIB=/usr/bin/llvm-ranlib-19 -DCMAKE_AR=/usr/bin/llvm-ar-19 -DCMAKE_RANLIB=/usr/bin/llvm-ranlib-19
  -DCMAKE_BUILD_TYPE=Release -DCMAKE_C_FLAGS_RELEASE=-DNDEBUG "-DCMAKE_INSTALL_PREFIX=$root" -DCMAKE_INSTALL_LIBDIR=lib)
build() {  # NAME CMAKE_OPTION...
  local name=$1
  shift
  CFLAGS=$flags "${cmake[@]}" -S "$work/sources/$name" -B "$work/$name" "$@" && ninja -C "$work/$name" install
}
everything() {
  (apt-get "${options[@]}" update || true) && cd "$work/sources" &&
    apt-get "${options[@]}" source --download-only "${sources[@]}" &&
    for name in "${sources[@]}"; do dpkg-source --no-check -x "$name"_*.dsc "$name" || return 1; done
  # Debian's copy of zlib lacks a file that its CMake names.
  cp "$here/agent_zlib.cmake" zlib/CMakeLists.txt && build zlib &&
    build c-ares -DCARES_STATIC=ON -DCARES_STATIC_PIC=ON -DCARES_SHARED=OFF -DCARES_BUILD_TOOLS=OFF -DCARES_BUILD_TESTS=OFF &&
    cp "$here/mbedtls_config.h" mbedtls/include/mbedtls/config.h &&
    build mbedtls -DENABLE_TESTING=OFF -DENABLE_PROGRAMS=OFF -DUSE_SHARED_MBEDTLS_LIBRARY=OFF -DLIB_INSTALL_DIR=lib &&
    if [ -d libzstd ]; then
      build libzstd/build/cmake -DZSTD_BUILD_PROGRAMS=OFF -DZSTD_BUILD_SHARED=OFF -DZSTD_MULTITHREAD_SUPPORT=OFF -DZSTD_LEGACY_SUPPORT=OFF
    fi
}
if ! (everything) >"$work/log" 2>&1; then
  tail -n 30 "$work/log" >&2
  exit 1
fi
echo "$made_of" >"$root/.complete"
