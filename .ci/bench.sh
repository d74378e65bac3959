#!/usr/bin/env bash
# Runs the benchmarks in the tree and prints one line per figure:
# bench <name> <value> <unit>, and bench <name>.ratio <value> x where a benchmark has
# a naive version of itself beside it. Arguments are packages (default all);
# BENCH selects benchmarks, BENCHTIME is passed on (default 1s). TMPDIR is where
# brokers and stores keep what they write: docs/83-performance.md says why it matters.
set -euo pipefail
{
  go test -run '^$' -bench "${BENCH:-.}" -benchtime "${BENCHTIME:-1s}" -timeout 30m "${@:-./...}" 2>/dev/null
  [ $# -gt 0 ] || .ci/k8s.sh bench 2>/dev/null # from a request to its Job, on a real control plane
} |
  awk '/^pkg:/ { n = split($2, p, "/"); pkg = p[n] }
       /^--- FAIL: Benchmark/ { print "bench", pkg "." substr($3, 10), "failed"; next }
       /^Benchmark/ { name = $1; sub(/^Benchmark/, "", name); sub(/-[0-9]+$/, "", name); name = pkg "." name
         for (i = 3; i < NF; i += 2) {
           print "bench", name, $i, $(i + 1)
           if ($(i + 1) ~ /\/(cpu-)?s$/ && !(name in rate && $(i + 1) !~ /cpu-s$/)) rate[name] = $i
         }
         base = name
         if (sub(/\/naive$/, "", base) && rate[base "/ours"] && rate[name])
           printf "bench %s.ratio %.1f x\n", base, rate[base "/ours"] / rate[name]
       }'
