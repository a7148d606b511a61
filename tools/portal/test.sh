#!/usr/bin/env bash
# Tests of the portal. The last line is "portal: N passed, N failed, N skipped"; before it stand the messages of what failed (report.mjs).
#   test.sh unit      logic, without a browser
#   test.sh browser   Chromium against PICKET_URL (PICKET_USER, PICKET_SECRET, PICKET_TRIGGER; see portal/README.md),
#                     or against the mock server when PICKET_URL is not set. Further arguments go to Playwright.
set -euo pipefail
here=$(dirname "${BASH_SOURCE[0]}")
source "$here/env.sh"
kind=${1:?unit or browser}
shift

"$here/build.sh"
use_node
use_packages
cd "$portal"
report=$(mktemp)
trap 'rm -f "$report"' EXIT
status=0
case $kind in
  unit)
    node node_modules/.bin/vitest run --reporter=default --reporter=json --outputFile.json="$report" "$@" || status=$? ;;
  browser)
    PLAYWRIGHT_JSON_OUTPUT_NAME=$report node node_modules/.bin/playwright test --reporter=list,json "$@" || status=$? ;;
  *) echo "portal: unknown tests: $kind" >&2; exit 2 ;;
esac
node "$root/tools/portal/report.mjs" "$kind" "$report"
exit "$status"
