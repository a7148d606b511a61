#!/usr/bin/env bash
# Puts the validators that tests/software asks in place: .deps/software-python, as tests/software/requirements.txt pins them; quiet when
# nothing is to do.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
pins=$root/tests/software/requirements.txt
home=$root/.deps/software-python
mkdir -p "$root/.deps"
exec 9>"$root/.deps/software.lock"
flock 9
sum=$(sha256sum "$pins" | cut -d' ' -f1)
[ "$(cat "$home/.picket" 2>/dev/null)" = "$sum" ] && exit
echo "software.sh: validators of documents" >&2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
rm -rf "$home"
if ! { /usr/bin/python3 -m venv "$home" && "$home/bin/pip" install --disable-pip-version-check --no-deps -r "$pins"; } >"$log" 2>&1 </dev/null; then
  tail -n 30 "$log" >&2
  exit 1
fi
echo "$sum" >"$home/.picket"
