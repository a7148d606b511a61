#!/usr/bin/env bash
# packaging/deb/build_server.sh [PROGRAM [DIRECTORY]]: the .deb of the server for this machine's architecture. Prints where it is.
# PROGRAM: a built picket (default: built here, preset release). DIRECTORY: where the package goes (default build).
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
program=${1:-}
if [ -z "$program" ]; then
  "$root/tools/build.sh" release picket
  program=$root/build/release/bin/picket
fi
out=${2:-$root/build}
[ -e "$root/portal/dist/index.html" ] || "$root/tools/portal/build.sh"
command -v dpkg-shlibdeps >/dev/null || { echo "build_server.sh: dpkg-shlibdeps is missing; apt-get install dpkg-dev" >&2; exit 1; }
version=${VERSION:-$(sed -n 's/^project(picket VERSION \([0-9.]*\).*/\1/p' "$root/CMakeLists.txt")}
arch=$(dpkg --print-architecture)
here="$root/packaging"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tree=$work/tree

mkdir -m 755 "$tree"
install -d "$tree/usr/bin" "$tree/usr/lib/picket" "$tree/usr/share/picket" "$tree/etc/picket" "$tree/DEBIAN"
llvm-strip-19 -o "$tree/usr/bin/picket" "$program"
install -m 644 "$root/.deps/duckdb/lib/libduckdb.so" "$tree/usr/lib/picket/libduckdb.so"
# The program finds DuckDB, which Debian does not have, in a folder of its own: its run path is the build tree's until now.
old=$(readelf -d "$program" | sed -n 's/.*R\(UN\)\?PATH.*\[\(.*\)\]/\2/p')
cat >"$work/run_path.cmake" <<END
file(RPATH_CHANGE FILE "$tree/usr/bin/picket" OLD_RPATH "$old" NEW_RPATH "/usr/lib/picket")
END
cmake -P "$work/run_path.cmake" >/dev/null
cp -r "$root/portal/dist" "$tree/usr/share/picket/portal"
chmod -R u=rwX,go=rX "$tree/usr/share/picket"
install -m 644 "$here/deb/server/picket.toml" "$tree/etc/picket/picket.toml"
install -D -m 644 "$here/systemd/picket.service" "$tree/lib/systemd/system/picket.service"
install -D -m 644 "$here/deb/server/README" "$tree/usr/share/doc/picket/README"
install -D -m 644 "$root/LICENSE" "$tree/usr/share/doc/picket/copyright"
for script in postinst prerm postrm; do install -m 755 "$here/deb/server/$script" "$tree/DEBIAN/$script"; done
echo /etc/picket/picket.toml >"$tree/DEBIAN/conffiles"
(cd "$tree" && find usr lib -type f -print0 | sort -z | xargs -0 md5sum >DEBIAN/md5sums)
# Which packages hold the libraries that both files name.
mkdir -p "$work/debian"
printf 'Source: picket\n\nPackage: picket\nArchitecture: any\n' >"$work/debian/control"
libraries=$(cd "$work" && dpkg-shlibdeps -O --ignore-missing-info -l"$tree/usr/lib/picket" -S"$tree" \
  -e"$tree/usr/bin/picket" -e"$tree/usr/lib/picket/libduckdb.so" 2>"$work/log" | sed -n 's/^shlibs:Depends=//p') || { cat "$work/log" >&2; exit 1; }
cat >"$tree/DEBIAN/control" <<END
Package: picket
Version: $version
Architecture: $arch
Maintainer: Picket developers <picket@localhost>
Installed-Size: $(du -sk --exclude=DEBIAN "$tree" | cut -f1)
Depends: adduser, $libraries
Section: admin
Priority: optional
Description: security platform for IoT and OT fleets, self-hosted
 Device hub (MQTT, AMQP, HTTPS), detection, workspace with KQL, portal and
 REST API in one server, and its command line. Devices run picket-agent or the
 IoT Hub SDKs.
END
mkdir -p "$out"
package="$out/picket_${version}_$arch.deb"
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$root" log -1 --format=%ct 2>/dev/null || echo 0)} \
  dpkg-deb --root-owner-group --build "$tree" "$package" >/dev/null
echo "$package"
