#!/usr/bin/env bash
# Installs the Debian packages that are missing. Quiet when none is. Needs root only to install.
#   debian.sh          those of debian.txt: build and run
#   debian.sh --tests  also those of debian-test.txt
#   debian.sh --real   also those of debian-real.txt: what attackers use
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

lists=("$here/debian.txt")
[ "${1:-}" = --tests ] && lists+=("$here/debian-test.txt")
[ "${1:-}" = --real ] && lists+=("$here/debian-test.txt" "$here/debian-real.txt")
mapfile -t wanted < <(grep -hv '^#' "${lists[@]}")
installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' 2>/dev/null | sed -n 's/^installed //p')
missing=()
for package in "${wanted[@]}"; do
  grep -qxF "$package" <<<"$installed" || missing+=("$package")
done
# Node.js may come from elsewhere (a newer one); only a machine without any gets Debian's.
command -v npm >/dev/null 2>&1 || missing+=(nodejs npm)
[ ${#missing[@]} -eq 0 ] && exit 0

if [ "$(id -u)" -ne 0 ]; then
  echo "Missing Debian packages; as root run: apt-get install --no-install-recommends ${missing[*]}" >&2
  exit 1
fi
echo "Installing ${#missing[@]} Debian packages ..." >&2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
export DEBIAN_FRONTEND=noninteractive
install_missing() {
  dpkg --configure -a || true  # what an interrupted installation left behind
  apt-get update && apt-get -o DPkg::Lock::Timeout=300 install -y --fix-broken --no-install-recommends "${missing[@]}"
}
if ! install_missing >"$log" 2>&1 </dev/null; then
  tail -n 20 "$log" >&2
  exit 1
fi
