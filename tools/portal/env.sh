# Sourced by the scripts beside it: finds a Node that Vite 8 runs on and puts it first in PATH.
# Debian 12 has Node 18; there the npm package `node` is installed under .deps/node.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
portal=$root/portal
deps=$root/.deps
kNodePackage=node@20.19.5

# Vite 8: 20.19 or later of 20, 22.12 or later.
node_fits() {
  "$1" -e 'const [major, minor] = process.versions.node.split(".").map(Number);
           process.exit((major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major > 22 ? 0 : 1)' 2>/dev/null
}

# Runs a command silently; its output is shown only when it fails.
quietly() {
  local log status=0
  log=$(mktemp)
  "$@" >"$log" 2>&1 || status=$?
  if [ "$status" -ne 0 ]; then cat "$log" >&2; fi
  rm -f "$log"
  return "$status"
}

use_node() {
  if command -v node >/dev/null && node_fits node; then return; fi
  if ! command -v npm >/dev/null; then
    echo "portal: npm is missing; apt-get install nodejs npm" >&2
    return 1
  fi
  local bin=$deps/node/node_modules/node/bin
  if ! node_fits "$bin/node"; then
    echo "portal: installing $kNodePackage (the system's Node is too old for Vite)"
    mkdir -p "$deps/node"
    quietly npm install --prefix "$deps/node" --no-save --no-audit --no-fund "$kNodePackage"
  fi
  export PATH=$bin:$PATH
  node_fits node || { echo "portal: $kNodePackage does not run here" >&2; return 1; }
}

digest() { sha256sum | cut -d' ' -f1; }

# Installs what package-lock.json names, once for each lock file.
use_packages() {
  local stamp=$portal/node_modules/.picket-lock want
  want=$(cat "$portal/package.json" "$portal/package-lock.json" | digest)
  if [ "$(cat "$stamp" 2>/dev/null)" = "$want" ]; then return; fi
  echo "portal: installing packages"
  (cd "$portal" && quietly npm ci --no-audit --no-fund)
  echo "$want" >"$stamp"
}
