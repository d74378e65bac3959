#!/usr/bin/env bash
# Checks the Helm chart: lint, unit tests, and that README.md follows from
# values.yaml. The tools are built from pinned Go modules and kept in the cache.
# `chart.sh tool NAME` prints the path of one; `chart.sh docs` writes README.md anew.
set -euo pipefail
cd "$(dirname "$0")/.."

tools=${STALKER_CACHE:-$HOME/.cache/stalker}/chart/$(cat .ci/chart/go.sum .ci/helmdocs/go.sum | sha256sum | cut -c1-16)

build() { # module directory, package
  [ -x "$tools/$(basename "$2")" ] && return
  mkdir -p "$tools"
  echo "building $(basename "$2")" >&2
  (cd "$1" && CGO_ENABLED=0 GOFLAGS=-mod=readonly go build -trimpath -ldflags '-s -w' -o "$tools/" "$2")
}
build .ci/chart helm.sh/helm/v3/cmd/helm
build .ci/chart github.com/helm-unittest/helm-unittest/cmd/helm-unittest
build .ci/helmdocs github.com/norwoodj/helm-docs/cmd/helm-docs
docs() { "$tools/helm-docs" --chart-search-root charts --log-level warning --sort-values-order file "$@"; }

case ${1:-} in
  tool) echo "$tools/$2"; exit ;;
  docs) docs; exit ;;
esac

"$tools/helm" lint charts/stalker --strict --kube-version 1.35.0 --values charts/stalker/tests/values/external.yaml --quiet
"$tools/helm-unittest" charts/stalker
docs --dry-run | diff -u charts/stalker/README.md - || { echo "charts/stalker/README.md does not follow from values.yaml: run .ci/chart.sh docs" >&2; exit 1; }
if grep -nE '^\| [^|]+\|[^|]*\|[^|]*\| *\|$' charts/stalker/README.md; then echo "values without a description" >&2; exit 1; fi
echo "what it configures is known to the binary" >&2
STALKER_TEST_HELM=$tools/helm go test -count=1 -run "Chart" ./cmd/stalker
