#!/usr/bin/env bash
# A real Kubernetes for tests, on this machine, from Go modules and Debian packages.
# README: .ci/k8s/README.md
#
#   .ci/k8s.sh build     build the binary (cached by the hash of its sources), print its path
set -euo pipefail
cd "$(dirname "$0")/k8s"

version=1.35.4
cache=${STALKER_CACHE:-$HOME/.cache/stalker}/k8s
say() { printf 'k8s: %s\n' "$*" >&2; }

build() {
  local hash bin ldflags p=k8s.io/component-base/version
  hash=$(cat go.mod go.sum main.go | sha256sum | cut -c1-16)
  bin=$cache/$version-$hash/k8s
  if [[ ! -x $bin ]]; then
    mkdir -p "${bin%/*}"
    say "building Kubernetes $version with etcd, once: 5 to 12 minutes of processor time"
    ldflags="-s -w -X $p.gitVersion=v$version -X $p.gitMajor=1 -X $p.gitMinor=35 -X $p.gitTreeState=clean"
    ldflags+=" -X $p.gitCommit=$(printf '0%.0s' {1..40}) -X $p.buildDate=2026-01-01T00:00:00Z"
    CGO_ENABLED=0 GOFLAGS=-buildvcs=false nice -n 10 go build -trimpath -ldflags "$ldflags" -o "$bin.new" .
    mv -f "$bin.new" "$bin"
  fi
  printf '%s\n' "$bin"
}

case ${1:-} in
  build) build ;;
  *) sed -n '2,/^set/p' ../k8s.sh | sed '$d; s/^# \{0,1\}//'; exit 2 ;;
esac
