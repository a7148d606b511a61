#!/usr/bin/env bash
# sysroot_riscv64.sh DIR: what sysroot.sh unpacks for other architectures, for riscv64, which Debian 12 does not release: its cross
# packages of the C and C++ libraries, laid out as a root, and GoogleTest (for the tests) built from Debian's source.
set -euo pipefail
root=$(realpath -m "$1")
here=$(cd "$(dirname "$0")/../.." && pwd)
triple=riscv64-linux-gnu
packages=("libc6-dev-riscv64-cross" libc6-riscv64-cross linux-libc-dev-riscv64-cross libstdc++-12-dev-riscv64-cross libgcc-12-dev-riscv64-cross
  libgcc-s1-riscv64-cross libbpf-dev)
sources=(googletest)
stamp="$root/.complete"
[ -e "$stamp" ] && [ "$(cat "$stamp")" = "${packages[*]} ${sources[*]}" ] && exit 0

echo "Fetching and building what a build for riscv64 needs ..." >&2
rm -rf "$root"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
mkdir -p "$root/usr/lib/gcc" "$work"/{lists/partial,cache/archives/partial,state,source-lists,packages,sources,cross}
: >"$work/state/status"
# This machine's own archive, for packages and for sources; its lists stay as they are.
for list in /etc/apt/sources.list /etc/apt/sources.list.d/*.sources /etc/apt/sources.list.d/*.list; do
  [ -e "$list" ] || continue
  sed 's/^Types: .*/Types: deb deb-src/; s/^deb \(.*\)/&\ndeb-src \1/' "$list" >"$work/source-lists/$(basename "$list")"
  case $list in *.list | *.sources) ;; *) mv "$work/source-lists/$(basename "$list")" "$work/source-lists/main.list" ;; esac
done
options=(-o Dir::Etc::sourcelist=/dev/null -o "Dir::Etc::sourceparts=$work/source-lists" -o "Dir::State=$work/state"
  -o "Dir::State::Lists=$work/lists" -o "Dir::State::status=$work/state/status" -o "Dir::Cache=$work/cache" -o APT::Sandbox::User=root
  -o Acquire::Retries=3)
log="$work/log"

fetch() {
  apt-get "${options[@]}" update || true
  (cd "$work/packages" && apt-get "${options[@]}" download "${packages[@]}")
  (cd "$work/sources" && apt-get "${options[@]}" source --download-only "${sources[@]}")
}
lay_out() {
  for package in "$work"/packages/*.deb; do dpkg-deb -x "$package" "$work/cross"; done
  mv "$work/cross/usr/$triple/include" "$root/usr/include"
  mv "$work/cross/usr/lib/gcc-cross/$triple" "$root/usr/lib/gcc/$triple"
  mv "$work/cross/usr/$triple/lib" "$root/usr/lib/$triple"
  cp -r "$work/cross/usr/include/bpf" "$root/usr/include/"
  # The linker scripts of the cross packages name this folder.
  mkdir -p "$root/usr/$triple" && ln -s "../lib/$triple" "$root/usr/$triple/lib"
  ln -s usr/lib "$root/lib"
}
flags="-Os -ffunction-sections -fdata-sections -fPIC -fstack-protector-strong"
unpacked() { dpkg-source --no-check -x "$work"/sources/"$1"_*.dsc "$work/sources/$1"; }
build() {  # NAME CMAKE_OPTION...
  local name=$1
  shift
  unpacked "$name" &&
    cmake -G Ninja -S "$work/sources/$name" -B "$work/sources/$name-build" \
      -DCMAKE_TOOLCHAIN_FILE="$here/cmake/toolchains/debian-cross.cmake" -DPICKET_ARCH=riscv64 -DPICKET_SYSROOT="$root" \
      -DCMAKE_C_COMPILER=clang-19 -DCMAKE_CXX_COMPILER=clang++-19 -DCMAKE_BUILD_TYPE=Release -DCMAKE_C_FLAGS="$flags" \
      -DCMAKE_C_FLAGS_RELEASE=-DNDEBUG -DCMAKE_INSTALL_PREFIX=/usr -DCMAKE_INSTALL_LIBDIR="lib/$triple" "$@" &&
    DESTDIR="$root" ninja -C "$work/sources/$name-build" install
}
everything() {
  fetch && lay_out && build googletest
}
if ! (everything) >"$log" 2>&1; then
  tail -n 30 "$log" >&2
  exit 1
fi
echo "${packages[*]} ${sources[*]}" >"$stamp"
