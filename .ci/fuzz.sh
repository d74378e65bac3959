#!/usr/bin/env bash
# Runs each fuzz target for a few seconds (FUZZTIME, default 5s).
set -euo pipefail
export CHDB_LIB_PATH=${CHDB_LIB_PATH:-$(.ci/chdb.sh)}
grep -rlE '^func Fuzz' --include='*_test.go' . | xargs -n1 dirname | sort -u | while read -r pkg; do
  grep -hoE '^func Fuzz[A-Za-z0-9_]+' "$pkg"/*_test.go | sed 's/^func //' | sort -u | while read -r target; do
    echo "fuzzing $pkg $target"
    go test -run '^$' -fuzz "^$target\$" -fuzztime "${FUZZTIME:-5s}" "$pkg" | tail -n 3
  done
done
