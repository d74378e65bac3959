#!/usr/bin/env bash
# Builds the version before this one, once, and runs the tests that go from it to this
# one. That is the newest tag before this commit; before the first release it is the
# commit named below, the last one whose data must still be understood.
set -euo pipefail
cd "$(dirname "$0")/.."

first=0e7a97cbb3c611bb83668934659d82a82c162b85
from=$(git describe --tags --match 'v[0-9]*' --abbrev=0 HEAD^ 2>/dev/null || echo "$first")
if ! from=$(git rev-parse --verify --quiet "$from^{commit}"); then
  if [ "$(git rev-parse --is-shallow-repository 2>/dev/null)" != false ]; then
    echo "upgrade: this checkout has no history, so there is no previous version to build"
    exit 0
  fi
  echo "upgrade: the previous version is not in this repository" >&2
  exit 1
fi

old=${XDG_CACHE_HOME:-$HOME/.cache}/stalker/previous/$from/stalker
if [ ! -x "$old" ]; then
  echo "upgrade: building $(git log -1 --format='%h of %as' "$from")"
  work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
  git archive "$from" | tar -x -C "$work"
  mkdir -p "$(dirname "$old")"
  (cd "$work" && go build -buildvcs=false -trimpath -o "$old.$$" ./cmd/stalker)
  mv "$old.$$" "$old"
fi
STALKER_PREVIOUS=$old go test -buildvcs=false -count=1 -timeout 20m -run TestUpgrade -v ./cmd/stalker
