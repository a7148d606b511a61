#!/usr/bin/env bash
# packaging/deb/install_test.sh PROGRAM: the package of this machine's architecture through its life: install, configure again, upgrade,
# take over a retired agent, remove, purge. All of it on an overlay of / in a mount namespace of its own: nothing is left. Needs root.
set -euo pipefail
program=$(readlink -f "${1:?PROGRAM: a picket-agent of this machine\'s architecture}")
here=$(cd "$(dirname "$0")" && pwd)
if [ "${2:-}" != inside ]; then
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  arch=$(dpkg --print-architecture)
  "$here/build.sh" "$arch" "$program" "$work/a" >/dev/null
  VERSION=9.9.9 "$here/build.sh" "$arch" "$program" "$work/b" >/dev/null
  cmp "$("$here/build.sh" "$arch" "$program" "$work/c")" "$work"/a/*.deb || { echo "FAILED: two builds differ" >&2; exit 1; }
  unshare --mount --propagation private "$0" "$program" inside "$work"
  exit
fi

work=$3
mkdir "$work"/layer
mount -t tmpfs none "$work/layer"
mkdir "$work"/layer/{upper,work,root}
mount -t overlay overlay -o "lowerdir=/,upperdir=$work/layer/upper,workdir=$work/layer/work" "$work/layer/root"
root="$work/layer/root"
mount --bind /dev "$root/dev"
mount -t proc proc "$root/proc"
mkdir -p "$root/packages"
cp "$work"/a/*.deb "$root/packages/first.deb"
cp "$work"/b/*.deb "$root/packages/second.deb"
in_root() { chroot "$root" env DEBIAN_FRONTEND=noninteractive LC_ALL=C "$@"; }

fail() {
  echo "FAILED: $1" >&2
  [ -z "${said:-}" ] || echo "$said" >&2
  exit 1
}
holds() { grep -qF -- "$1" <<<"$said" || fail "the package did not say: $1"; }
step() { echo "ok: $1"; }
mode() { stat -c '%a %U' "$root$1"; }

said=$(in_root dpkg -i /packages/first.deb 2>&1) || fail "install"
holds "installed, not started: this device has no identity yet"
in_root picket-agent version >/dev/null || fail "the program does not run"
[ "$(mode /etc/picket-agent)" = "700 root" ] && [ "$(mode /etc/picket-agent/agent.toml)" = "600 root" ] || fail "modes of the settings"
[ -L "$root/etc/systemd/system/multi-user.target.wants/picket-agent.service" ] || fail "the service is not enabled"
said=$(in_root dpkg --verify picket-agent) && [ -z "$said" ] || fail "installed files differ from the package"
said=$(in_root picket-agent run 2>&1) && fail "it runs without an identity"
holds /etc/picket-agent/connection
code=0
said=$(in_root picket-agent baseline 2>&1) || code=$?
[ $code -le 1 ] && [ "$(wc -l <<<"$said")" -gt 100 ] || fail "the rules of the baseline that come with it (exit $code)"  # 1: some rule failed
step "installs, enabled, and says what is left to do"

said=$(in_root systemd-analyze verify picket-agent.service 2>&1) || fail "the unit"
step "the unit is right to systemd"

echo '# mine' >>"$root/etc/picket-agent/agent.toml"
mkdir -p "$root/var/lib/picket-agent" && touch "$root/var/lib/picket-agent/spool"
said=$(in_root dpkg -i /packages/second.deb 2>&1) || fail "upgrade"
grep -q '# mine' "$root/etc/picket-agent/agent.toml" && [ -e "$root/var/lib/picket-agent/spool" ] || fail "an upgrade loses settings or spool"
[ "$(in_root dpkg-query -W -f '${Version}' picket-agent)" = 9.9.9 ] || fail "the version after the upgrade"
step "an upgrade keeps settings and spool"

old=$root/etc/defender_iot_micro_agent
mkdir -p "$old"
echo 'HostName=hub.example;DeviceId=old1;ModuleId=DefenderIotMicroAgent;SharedAccessKey=a2V5' >"$old/connection_string.txt"
printf '[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n' >"$root/lib/systemd/system/defender-iot-micro-agent.service"
in_root systemctl enable defender-iot-micro-agent.service >/dev/null 2>&1
said=$(in_root dpkg-reconfigure picket-agent 2>&1) || fail "configure with a retired agent"
holds "its identity and settings are taken over"
holds "the retired agent goes on running"
grep -q DeviceId=old1 "$root/etc/picket-agent/connection" || fail "the identity was not taken over"
[ "$(mode /etc/picket-agent/connection)" = "600 root" ] || fail "mode of the connection string"
[ -L "$root/etc/systemd/system/multi-user.target.wants/defender-iot-micro-agent.service" ] || fail "the old service was touched"
step "takes over a retired agent and leaves it alone"

touch "$root/etc/picket-agent/replace-old-agent"
said=$(in_root dpkg-reconfigure picket-agent 2>&1) || fail "configure with the switch"
holds "stopped and disabled defender-iot-micro-agent.service"
[ ! -e "$root/etc/systemd/system/multi-user.target.wants/defender-iot-micro-agent.service" ] || fail "the old service is still enabled"
[ -e "$old/connection_string.txt" ] || fail "a file of the old agent is gone"
step "replaces its service when asked, and says so"

said=$(in_root dpkg --remove picket-agent 2>&1) || fail "remove"
[ ! -e "$root/usr/sbin/picket-agent" ] && [ -e "$root/etc/picket-agent/agent.toml" ] || fail "remove takes the program and keeps the settings"
said=$(in_root dpkg -i /packages/second.deb 2>&1) || fail "install again"
[ -L "$root/etc/systemd/system/multi-user.target.wants/picket-agent.service" ] || fail "not enabled after it was installed again"
said=$(in_root dpkg --purge picket-agent 2>&1) || fail "purge"
for left in /etc/picket-agent /var/lib/picket-agent /lib/systemd/system/picket-agent.service /etc/systemd/system/picket-agent.service \
  /etc/systemd/system/multi-user.target.wants/picket-agent.service; do
  [ ! -e "$root$left" ] && [ ! -L "$root$left" ] || fail "purge leaves $left"
done
[ -e "$old/connection_string.txt" ] || fail "purge touched the old agent"
step "removes and purges"
