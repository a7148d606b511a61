#!/usr/bin/env bash
# Builds the portal into portal/dist. Does nothing, and says nothing, when that is up to date.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"

mkdir -p "$deps"
exec 9>"$deps/portal.lock"
flock 9

inputs() {
  cd "$portal"
  { find src public -type f ! -name generated.d.ts; ls index.html package.json package-lock.json tsconfig.json vite.config.ts ../schema/openapi.yaml; } |
    LC_ALL=C sort | xargs sha256sum
}

stamp=$deps/portal.built
want=$(inputs | digest)
if [ -f "$portal/dist/index.html" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$want" ]; then exit 0; fi

use_node
use_packages
echo "portal: building"
cd "$portal"
bin=node_modules/.bin
quietly npm run --silent api
quietly node "$bin/tsc" --noEmit
# Beside the old one and then swapped, so that a running server never sees half a portal.
rm -rf dist.new
quietly node "$bin/vite" build --outDir dist.new --emptyOutDir
rm -rf dist
mv dist.new dist
echo "$want" >"$stamp"
