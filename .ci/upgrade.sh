#!/usr/bin/env bash
# The version before this one: the newest tag before this commit; before the first
# release the commit named below, the last one whose data must still be understood.
#
#   .ci/upgrade.sh             run the test that goes from it to this one
#   .ci/upgrade.sh run CMD…    run CMD with STALKER_PREVIOUS and STALKER_CURRENT naming the programs of both
set -euo pipefail
top=$(cd "$(dirname "$0")/.." && pwd)

first=0e7a97cbb3c611bb83668934659d82a82c162b85
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT

# previous builds it, once, and prints where it is; nothing without history.
previous() {
  local from old
  from=$(git -C "$top" describe --tags --match 'v[0-9]*' --abbrev=0 HEAD^ 2>/dev/null || echo "$first")
  if ! from=$(git -C "$top" rev-parse --verify --quiet "$from^{commit}"); then
    if [ "$(git -C "$top" rev-parse --is-shallow-repository 2>/dev/null)" != false ]; then
      echo "upgrade: this checkout has no history, so there is no previous version to build" >&2
      return
    fi
    echo "upgrade: the previous version is not in this repository" >&2
    return 1
  fi
  old=${XDG_CACHE_HOME:-$HOME/.cache}/stalker/previous/$from/stalker
  if [ ! -x "$old" ]; then
    echo "upgrade: building $(git -C "$top" log -1 --format='%h of %as' "$from")" >&2
    mkdir -p "$work/source" "$(dirname "$old")"
    git -C "$top" archive "$from" | tar -x -C "$work/source"
    (cd "$work/source" && go build -buildvcs=false -trimpath -o "$old.$$" ./cmd/stalker)
    mv "$old.$$" "$old"
  fi
  echo "$old"
}

old=$(previous)
case ${1:-} in
  '')
    [ -n "$old" ] || exit 0
    cd "$top"
    STALKER_PREVIOUS=$old go test -buildvcs=false -count=1 -timeout 20m -run TestUpgrade -v ./cmd/stalker
    ;;
  run)
    shift
    (cd "$top" && go build -buildvcs=false -trimpath -o "$work/stalker" ./cmd/stalker)
    STALKER_PREVIOUS=${old:-$work/stalker} STALKER_CURRENT=$work/stalker "$@"
    ;;
  *) echo 'upgrade: nothing, or run CMD…' >&2; exit 1 ;;
esac
