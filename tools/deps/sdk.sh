#!/usr/bin/env bash
# Puts the unmodified SDKs that tests/sdk runs in place, each as its lock file pins it; quiet when nothing is to do.
#   node     tests/sdk/node/node_modules   package-lock.json; .deps/sdk-node is the Node that runs them
#   python   .deps/sdk-python              requirements.txt
#   java     .deps/sdk-java/{lib,junit.jar} pom.xml, and the compiled cases in classes/
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
sdk=$root/tests/sdk
mkdir -p "$root/.deps"
exec 9>"$root/.deps/sdk.lock"
flock 9
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# stage NAME STAMP INPUT... -- COMMAND: runs the command unless the stamp names these very inputs.
stage() {
  local name=$1 stamp=$2 sum
  shift 2
  local inputs=()
  while [ "$1" != -- ]; do inputs+=("$1"); shift; done
  shift
  sum=$(cat "${inputs[@]}" | sha256sum | cut -d' ' -f1)
  [ "$(cat "$stamp" 2>/dev/null)" = "$sum" ] && return
  echo "sdk.sh: $name" >&2
  if ! "$@" >"$log" 2>&1 </dev/null; then
    tail -n 30 "$log" >&2
    exit 1
  fi
  echo "$sum" >"$stamp"
}

# Debian 12 has Node 18; the SDKs' own dependencies want 20.
# shellcheck source=../portal/env.sh
source "$root/tools/portal/env.sh"
use_node >&2
ln -sfn "$(command -v node)" "$root/.deps/sdk-node"

node_packages() { cd "$sdk/node" && npm ci --no-audit --no-fund --silent; }

python_packages() {
  rm -rf "$root/.deps/sdk-python"
  /usr/bin/python3 -m venv "$root/.deps/sdk-python"
  "$root/.deps/sdk-python/bin/pip" install --disable-pip-version-check --no-deps -r "$sdk/python/requirements.txt"
}

java_packages() {
  rm -rf "$root/.deps/sdk-java"
  mkdir -p "$root/.deps/sdk-java"
  mvn --batch-mode --quiet -f "$sdk/java/pom.xml" dependency:copy-dependencies \
    -DoutputDirectory="$root/.deps/sdk-java/lib" -Dmdep.useBaseVersion=true
  mv "$root"/.deps/sdk-java/lib/junit-platform-console-standalone-*.jar "$root/.deps/sdk-java/junit.jar"
}

java_cases() {
  rm -rf "$root/.deps/sdk-java/classes"
  javac -encoding UTF-8 -d "$root/.deps/sdk-java/classes" \
    -cp "$root/.deps/sdk-java/lib/*:$root/.deps/sdk-java/junit.jar" "$sdk"/java/*.java
}

stage "Node packages" "$sdk/node/node_modules/.picket" "$sdk/node/package.json" "$sdk/node/package-lock.json" -- node_packages
stage "Python packages" "$root/.deps/sdk-python/.picket" "$sdk/python/requirements.txt" -- python_packages
stage "Java packages" "$root/.deps/sdk-java/.picket" "$sdk/java/pom.xml" -- java_packages
stage "Java cases" "$root/.deps/sdk-java/.cases" "$sdk/java/pom.xml" "$sdk"/java/*.java -- java_cases
