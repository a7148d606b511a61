#!/usr/bin/env bash
# unpack_packages.sh ARCH DIR PACKAGE...: unpacks Debian's packages of ARCH below DIR; quiet when just these are there already.
# "of:META" stands for what the meta package META depends on first, e.g. of:linux-image-arm64 for the newest kernel.
# Uses package lists of its own: this machine's architectures and packages stay as they are.
set -euo pipefail
arch=$1
root=$2
shift 2
stamp="$root/.complete"
[ -e "$stamp" ] && [ "$(cat "$stamp")" = "$*" ] && exit 0

echo "Fetching packages of $arch into $(basename "$root") ..." >&2
rm -rf "$root"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$root" "$work"/{lists/partial,cache/archives/partial,state,packages}
: >"$work/state/status"
chmod 755 "$work"
options=(-o "APT::Architecture=$arch" -o "APT::Architectures=$arch" -o "Dir::State=$work/state" -o "Dir::State::Lists=$work/lists"
  -o "Dir::State::status=$work/state/status" -o "Dir::Cache=$work/cache" -o "APT::Sandbox::User=root" -o "Acquire::Retries=3")
log="$work/log"
fetch() {
  # One list may be out of step for minutes while a mirror is updated; what counts is that the packages arrive.
  apt-get "${options[@]}" update || true
  local packages=()
  for package in "$@"; do
    case $package in
      of:*) packages+=("$(apt-cache "${options[@]}" depends "${package#of:}" | sed -n 's/^ *Depends: //p' | head -n 1)") ;;
      *) packages+=("$package") ;;
    esac
  done
  cd "$work/packages" && apt-get "${options[@]}" download "${packages[@]}"
}
if ! (fetch "$@") >"$log" 2>&1; then
  tail -n 20 "$log" >&2
  exit 1
fi
for package in "$work"/packages/*.deb; do dpkg-deb -x "$package" "$root"; done
echo "$*" >"$stamp"
