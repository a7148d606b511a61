#!/usr/bin/env bash
# Puts DuckDB's shared library and its C header into .deps/duckdb/{lib,include}. Debian has no package of it; the npm
# packages are built by the DuckDB project. Idempotent, and quiet when nothing is to do.
#   tools/deps/duckdb.sh            exit 0: both files are there and have the pinned sums
# To move to another version: change the two packages and the sums, then run the workspace tests.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
target=$root/.deps/duckdb

# The header of 1.4.4 describes the C API that 1.4 and 1.5 share; the library packages carry none.
header_package=duckdb@1.4.4
header_member=package/src/duckdb/src/include/duckdb.h
header_sum=cbe6a827284375c5a646b8f27dbd3a00808ce8738b5bbb49c190cb1e08540281
case $(uname -m) in
  x86_64)
    library_package=@duckdb/node-bindings-linux-x64@1.5.6-r.1
    library_sum=3f4962cdd266eab2b479a5b5a4a6d063d279b2954ae814ed00385d553b747633
    ;;
  aarch64)
    # 1.5.6 was not published for this machine; the storage version is pinned, so the files are the same.
    library_package=@duckdb/node-bindings-linux-arm64@1.5.5-r.5
    library_sum=d00d007f3f7ca1f2896a5e4b89c2ce141bf0508506a9d6d56f9598b8e59d074e
    ;;
  *)
    echo "duckdb.sh: no DuckDB package for $(uname -m)" >&2
    exit 1
    ;;
esac

has_sum() {  # FILE SUM
  [[ -f $1 ]] && echo "$2  $1" | sha256sum --check --status 2>/dev/null
}

work=
cleanup() { [[ -z $work ]] || rm -rf "$work"; }
trap cleanup EXIT

# Downloads one npm package, takes one file out of it, checks its sum and puts it in place by rename.
take_member() {  # PACKAGE MEMBER SUM DESTINATION
  has_sum "$4" "$3" && return 0
  command -v npm >/dev/null || { echo "duckdb.sh: npm is needed (apt install npm)" >&2; return 1; }
  echo "duckdb.sh: fetching $(basename "$4") from npm $1"
  local folder archive
  folder=$(mktemp -d -p "$work")
  archive=$(cd "$folder" && npm pack "$1" --silent 2>"$folder/npm.log" | tail -1) || { cat "$folder/npm.log" >&2; return 1; }
  tar -xzf "$folder/$archive" -C "$folder" "$2"
  if ! has_sum "$folder/$2" "$3"; then
    echo "duckdb.sh: $2 of $1 does not have the pinned sha256 sum $3; refused" >&2
    return 1
  fi
  mkdir -p "$(dirname "$4")"
  chmod 0644 "$folder/$2"
  # The sum was checked before this move, so a half-written file never bears the final name.
  cp "$folder/$2" "$4.new.$$"
  mv "$4.new.$$" "$4"
}

work=$(mktemp -d)
take_member "$header_package" "$header_member" "$header_sum" "$target/include/duckdb.h"
take_member "$library_package" package/libduckdb.so "$library_sum" "$target/lib/libduckdb.so"
