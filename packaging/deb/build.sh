#!/usr/bin/env bash
# packaging/deb/build.sh ARCH [PROGRAM [DIRECTORY]]: the .deb of the agent for amd64, arm64, armhf or riscv64. Prints where it is.
# PROGRAM: a stripped picket-agent (default: what tools/build_agent.sh ARCH makes). DIRECTORY: where the package goes (default build).
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
arch=${1:-}
case $arch in
  amd64 | arm64 | armhf | riscv64) ;;
  *)
    sed -n '2,3s/^# //p' "$0" >&2
    exit 2 ;;
esac
program=${2:-}
[ -n "$program" ] || program="$root/$("$root/tools/build_agent.sh" "$arch")"
out=${3:-$root/build}
version=${VERSION:-$(sed -n 's/^project(picket VERSION \([0-9.]*\).*/\1/p' "$root/CMakeLists.txt")}
here="$root/packaging"
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT

chmod 755 "$tree"
install -D -m 755 "$program" "$tree/usr/sbin/picket-agent"
# The rules of the collector baseline.
install -d -m 755 "$tree/usr/share/picket-agent"
/usr/bin/python3 "$root/tools/baseline/compile.py" "$root"/content/baseline/*.yaml -o "$tree/usr/share/picket-agent/baseline.bin" >/dev/null
chmod 644 "$tree/usr/share/picket-agent/baseline.bin"
install -D -m 644 "$here/systemd/picket-agent.service" "$tree/lib/systemd/system/picket-agent.service"
install -d -m 700 "$tree/etc/picket-agent"
install -m 600 "$here/deb/agent.toml" "$tree/etc/picket-agent/agent.toml"
install -D -m 644 "$here/deb/README" "$tree/usr/share/doc/picket-agent/README"
install -D -m 644 "$root/LICENSE" "$tree/usr/share/doc/picket-agent/copyright"
install -d -m 755 "$tree/DEBIAN"
for script in postinst prerm postrm; do install -m 755 "$here/deb/$script" "$tree/DEBIAN/$script"; done
echo /etc/picket-agent/agent.toml >"$tree/DEBIAN/conffiles"
(cd "$tree" && find usr lib -type f -print0 | sort -z | xargs -0 md5sum >DEBIAN/md5sums)
cat >"$tree/DEBIAN/control" <<END
Package: picket-agent
Version: $version
Architecture: $arch
Maintainer: Picket developers <picket@localhost>
Installed-Size: $(du -sk --exclude=DEBIAN "$tree" | cut -f1)
Section: admin
Priority: optional
Description: security agent of the Picket IoT and OT security platform
 Watches processes, connections, logins, files, devices, users, packages and
 settings of this device and reports to a Picket hub or an IoT Hub. One static
 program: no interpreter, no libraries. Takes over what a retired Defender for
 IoT agent left.
END
mkdir -p "$out"
package="$out/picket-agent_${version}_$arch.deb"
# The same bytes from the same source: no time and no name of who built it.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$root" log -1 --format=%ct 2>/dev/null || echo 0)} \
  dpkg-deb --root-owner-group --build "$tree" "$package" >/dev/null
echo "$package"
