#!/usr/bin/env bash
# Installs the embedded ClickHouse engine, libchdb.so, for `stalker serve` and the
# tests. The version and the digest are pinned here and in sinks/chdb/library.go;
# a test compares the two. Needs npm, which knows the registry to ask.
set -euo pipefail

version=26.7.3-stable.1
sha256=36ad4e999882821ef13cf2d0f52c93f48e6ee1b4498b35a201c23ce4b8d15bf5
package=@chdb/lib-linux-x64-gnu

dir=${STALKER_CACHE:-$HOME/.cache/stalker}/chdb/$version
lib=$dir/libchdb.so
stamp=$lib.sha256

say() { printf 'chdb: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# The stamp holds the digest that was checked and the size and time of the file it
# was checked on, so that 566 MB are not hashed at every call.
mark() { printf '%s %s\n' "$sha256" "$(stat -c '%s %Y' "$1")"; }

if [[ -f $lib && -f $stamp && $(<"$stamp") == "$(mark "$lib")" ]]; then
  printf '%s\n' "$lib"
  exit 0
fi

[[ $(uname -sm) == "Linux x86_64" ]] || die "only Linux on x86-64 has a pinned engine; this is $(uname -sm). Set CHDB_LIB_PATH to a libchdb.so $version of your own"

verify() {
  local got
  got=$(sha256sum "$1" | cut -d' ' -f1)
  [[ $got == "$sha256" ]] || { say "$1 has sha256 $got, wanted $sha256"; return 1; }
}

mkdir -p "$dir"
if [[ -f $lib ]]; then
  say "checking $lib"
  if verify "$lib"; then
    mark "$lib" >"$stamp"
    printf '%s\n' "$lib"
    exit 0
  fi
  say "replacing it"
fi

command -v npm >/dev/null || die "npm is needed to fetch $package@$version: install Node.js, or set CHDB_LIB_PATH to a libchdb.so $version of your own"

# beside the target, so that the last step is a rename within one file system
tmp=$(mktemp -d "$dir/.fetch.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
say "fetching $package@$version (178 MB)"
(cd "$tmp" && npm pack --silent "$package@$version" >/dev/null) || die "npm could not fetch $package@$version"
say "unpacking (566 MB)"
tar -xzf "$tmp"/*.tgz -C "$tmp" package/libchdb.so
say "checking the digest"
verify "$tmp/package/libchdb.so" || die "the package is not the pinned one; nothing was installed"
chmod 0755 "$tmp/package/libchdb.so"
mv -f "$tmp/package/libchdb.so" "$lib"
mark "$lib" >"$stamp"
say "installed"
printf '%s\n' "$lib"
