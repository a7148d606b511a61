#!/usr/bin/env bash
# packaging/deb/install_server_test.sh PROGRAM: the server's package in a fresh Debian (mmdebstrap): installs with its dependencies from
# Debian, starts as its own user on loopback of a network of its own, answers, upgrades, removes, purges. Needs root, mmdebstrap, Debian's archive.
set -euo pipefail
program=$(readlink -f "${1:?PROGRAM: a built picket}")
here=$(cd "$(dirname "$0")" && pwd)
if [ "${2:-}" != inside ]; then
  command -v mmdebstrap >/dev/null || { echo "FAILED: mmdebstrap is missing; apt-get install mmdebstrap" >&2; exit 1; }
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  chmod 755 "$work"
  "$here/build_server.sh" "$program" "$work/a" >/dev/null
  VERSION=9.9.9 "$here/build_server.sh" "$program" "$work/b" >/dev/null
  mkdir -m 755 "$work/packages"
  cp "$work"/a/*.deb "$work/packages/first.deb"
  cp "$work"/b/*.deb "$work/packages/second.deb"
  depends=$(dpkg-deb -f "$work/packages/first.deb" Depends | sed 's/([^)]*)//g; s/|[^,]*//g; s/ //g')
  # systemd checks the unit; curl asks the portal.
  if ! mmdebstrap --quiet --mode=unshare --variant=minbase --include="$depends,systemd,curl,ca-certificates" \
    --customize-hook="copy-in $work/packages /" bookworm "$work/root.tar" >"$work/log" 2>&1; then
    mmdebstrap --mode=root --variant=minbase --include="$depends,systemd,curl,ca-certificates" \
      --customize-hook="copy-in $work/packages /" bookworm "$work/root.tar" >"$work/log" 2>&1 || { tail -n 20 "$work/log" >&2; exit 1; }
  fi
  unshare --mount --net --pid --fork --propagation private "$0" "$program" inside "$work"
  exit
fi

work=$3
mkdir "$work/root"
mount -t tmpfs -o size=2g none "$work/root"
root=$work/root
tar -xf "$work/root.tar" -C "$root" --exclude=./dev/*
mount --bind /dev "$root/dev"
mount -t proc proc "$root/proc"
ip link set lo up
inside=(chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive LC_ALL=C)
in_root() { "${inside[@]}" "$@"; }
fail() {
  [ -z "${said:-}" ] || head -n 40 <<<"$said" >&2
  [ ! -e "$root/server.log" ] || tail -n 20 "$root/server.log" >&2
  echo "FAILED: $1" >&2
  exit 1
}
step() { echo "ok: $1"; }

said=$(in_root dpkg -i /packages/first.deb 2>&1) || fail "install in a fresh Debian"
grep -q "it listens on loopback only" <<<"$said" || fail "the package does not say what is left to do"
[ "$(stat -c '%a' "$root/var/lib/picket")" = 700 ] && [ "$(in_root stat -c '%U' /var/lib/picket)" = picket ] || fail "mode and owner of the data"
[ -L "$root/etc/systemd/system/multi-user.target.wants/picket.service" ] || fail "the service is not enabled"
said=$(in_root systemd-analyze verify picket.service 2>&1) && [ -z "$said" ] || fail "the unit"
said=$(in_root dpkg --verify picket) && [ -z "$said" ] || fail "installed files differ from the package"
step "installs with Debian's packages alone; the unit is right to systemd"

# As the unit starts it: user, the one capability, limits of files.
start() {
  "${inside[@]}" setpriv --reuid picket --regid picket --init-groups --no-new-privs --inh-caps=-all,+net_bind_service --ambient-caps=-all,+net_bind_service \
    --bounding-set=-all,+net_bind_service picket serve --config /etc/picket/picket.toml >>"$root/server.log" 2>&1 &
  server=$!
  for _ in $(seq 600); do
    if in_root picket status >/dev/null 2>&1; then return; fi
    kill -0 $server 2>/dev/null || fail "the server ended"
    sleep 0.2
  done
  fail "the server does not answer"
}
end() {
  kill "$server"
  wait "$server" || fail "the server did not end well: $?"
}
start
said=$(in_root picket device add press-17 2>&1) || fail "picket device add"
said=$(in_root curl -s --cacert /var/lib/picket/secrets/ca.crt https://localhost:8443/) || fail "the portal does not answer"
grep -qi '<!doctype html>' <<<"$said" || fail "the portal's page"
[ -s "$root/var/lib/picket/secrets/first-sign-in" ] || fail "no first sign-in"
[ "$(in_root stat -c '%U' /var/lib/picket/secrets/ca.key)" = picket ] || fail "owner of the secrets"
end
step "starts as its own user with port 443, serves API and portal, ends"

echo '# mine' >>"$root/etc/picket/picket.toml"
said=$(in_root dpkg -i /packages/second.deb 2>&1) || fail "upgrade"
grep -q '# mine' "$root/etc/picket/picket.toml" || fail "an upgrade loses settings"
start
in_root picket device list | grep -q press-17 || fail "an upgrade loses data"
end
step "an upgrade keeps settings and data"

said=$(in_root dpkg --remove picket 2>&1) || fail "remove"
[ ! -e "$root/usr/bin/picket" ] && [ -e "$root/etc/picket/picket.toml" ] && [ -e "$root/var/lib/picket/VERSION" ] || fail "remove keeps settings and data"
said=$(in_root dpkg --purge picket 2>&1) || fail "purge"
for left in /etc/picket /var/lib/picket /usr/lib/picket /usr/share/picket /lib/systemd/system/picket.service \
  /etc/systemd/system/multi-user.target.wants/picket.service; do
  [ ! -e "$root$left" ] && [ ! -L "$root$left" ] || fail "purge leaves $left"
done
step "removes and purges"
