#!/usr/bin/env bash
# Runs the SDK conformance tests; the last line is "sdk: N passed, N failed, N skipped".
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cd "$here"
want=$(cat package.json package-lock.json | sha256sum | cut -d' ' -f1)
if [ "$(cat node_modules/.picket-lock 2>/dev/null)" != "$want" ]; then
  npm ci --no-audit --no-fund --silent
  echo "$want" >node_modules/.picket-lock
fi
report=$(mktemp)
trap 'rm -f "$report"' EXIT
status=0
node --test --test-concurrency=1 --test-reporter=tap device.test.js >"$report" 2>&1 || status=$?
[ "$status" -eq 0 ] || cat "$report"
count() { sed -n "s/^# $1 \([0-9]*\)$/\1/p" "$report" | tail -n 1; }
echo "sdk: $(count pass) passed, $(count fail) failed, $(count skipped) skipped"
exit "$status"
