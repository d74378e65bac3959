#!/usr/bin/env bash
# Runs each fuzz target for a moment (FUZZTIME, default 2s): enough to see that it
# works and that nothing near its seeds breaks. Before a release, and after work on a
# parser: FUZZTIME=1m .ci/fuzz.sh
set -euo pipefail
export CHDB_LIB_PATH=${CHDB_LIB_PATH:-$(.ci/chdb.sh)}
grep -rlE '^func Fuzz' --include='*_test.go' . | xargs -n1 dirname | sort -u | while read -r pkg; do
  grep -hoE '^func Fuzz[A-Za-z0-9_]+' "$pkg"/*_test.go | sed 's/^func //' | sort -u | while read -r target; do
    echo "fuzzing $pkg $target"
    go test -run '^$' -fuzz "^$target\$" -fuzztime "${FUZZTIME:-2s}" "$pkg" | tail -n 3
  done
done
