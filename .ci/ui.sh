#!/usr/bin/env bash
# Builds the web interface into api/ui/dist, from where the binary embeds it, when
# the sources or the locked packages changed. Needs Node.js and npm, which knows the
# registry to ask.
#   build    the default
#   types    writes src/api/schema.d.ts from the OpenAPI document
#   test     drift of those types, type check, unit tests, and the interface in
#            Chromium against bin/stalker; pictures of every page: api/ui/test-results
#            (IMAGES=1 also takes those of the README)
set -euo pipefail
cd "$(dirname "$0")/../api/ui"

sources() { find src public index.html package.json package-lock.json tsconfig.json vite.config.ts fonts.ts -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum | cut -d' ' -f1; }
packages() { sha256sum package-lock.json | cut -d' ' -f1; }

install() {
  local stamp=node_modules/.stalker-lock
  [[ -f $stamp && $(<"$stamp") == "$(packages)" ]] && return
  echo 'ui: installing packages' >&2
  npm ci --no-audit --no-fund --loglevel=error
  packages >"$stamp"
}

build() {
  local stamp=dist/.sources
  [[ -f $stamp && $(<"$stamp") == "$(sources)" ]] && return
  install
  echo 'ui: building' >&2
  find dist -mindepth 1 ! -name .gitkeep -delete
  npx vite build --logLevel warn
  # what the server sends to whoever accepts it
  find dist -type f \( -name '*.js' -o -name '*.css' -o -name '*.svg' -o -name '*.html' \) -exec gzip -9kn {} +
  sources >"$stamp"
}

# schema writes the types of the API as the sources describe it to a file.
schema() {
  local document
  document=$(mktemp --suffix=.json)
  (cd ../.. && CGO_ENABLED=0 go run -trimpath ./cmd/stalker openapi) >"$document"
  npx openapi-typescript "$document" -o "$1" >/dev/null 2>&1
  rm -f "$document"
}

drift() {
  local fresh
  fresh=$(mktemp --suffix=.d.ts)
  schema "$fresh"
  if ! diff -u src/api/schema.d.ts "$fresh"; then
    echo 'ui: the API changed and the types did not: make generate' >&2
    exit 1
  fi
  rm -f "$fresh"
}

browser() {
  if [[ -n ${CHROMIUM:-} ]] || command -v chromium >/dev/null; then return; fi
  if [[ $(id -u) != 0 ]] || ! command -v apt-get >/dev/null; then
    echo 'ui: chromium is missing: install it with your package manager, or set CHROMIUM to a browser of its kind' >&2
    exit 1
  fi
  echo 'ui: installing chromium' >&2
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null
}

# images copies the pictures the README shows.
images() {
  mkdir -p ../../docs/images
  cp test-results/dashboard-dark-1440.png ../../docs/images/dashboard.png
  cp test-results/websites-light-1440.png ../../docs/images/websites.png
  cp test-results/executions-one-light-1440.png ../../docs/images/execution.png
}

case ${1:-build} in
  build) build ;;
  types) install && schema src/api/schema.d.ts ;;
  test)
    install
    drift
    npx tsc --noEmit
    npx vitest run
    browser
    npx vitest run --config vitest.e2e.config.ts
    [[ -z ${IMAGES:-} ]] || images
    ;;
  *) echo "usage: $0 [build|types|test]" >&2; exit 2 ;;
esac
