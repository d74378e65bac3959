#!/usr/bin/env bash
# Runs the benchmarks in the tree and prints one line per figure:
# bench <name> <value> <unit>. BENCHTIME is passed on (default 1s).
set -euo pipefail
{
  go test -run '^$' -bench . -benchtime "${BENCHTIME:-1s}" ./... 2>/dev/null
  .ci/k8s.sh bench 2>/dev/null # from a request to its Job, on a real control plane
} |
  awk '/^pkg:/ { n = split($2, p, "/"); pkg = p[n] }
       /^Benchmark/ { name = $1; sub(/^Benchmark/, "", name); sub(/-[0-9]+$/, "", name)
         for (i = 3; i < NF; i += 2) print "bench", pkg "." name, $i, $(i + 1) }'
