#!/usr/bin/env bash
# Builds the web interface into api/ui/dist, from where the binary embeds it. Does
# nothing when neither the sources nor the locked packages changed. Needs Node.js
# and npm, which knows the registry to ask.
set -euo pipefail
cd "$(dirname "$0")/../api/ui"

sources() { find src public index.html package.json package-lock.json tsconfig.json vite.config.ts -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum | cut -d' ' -f1; }
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
  npx tsc --noEmit
  npx vite build --logLevel warn
  # what the server sends to whoever accepts it
  find dist -type f \( -name '*.js' -o -name '*.css' -o -name '*.svg' -o -name '*.html' \) -exec gzip -9kn {} +
  sources >"$stamp"
}

case ${1:-build} in
  install) install ;;
  build) build ;;
  *) echo "usage: $0 [install|build]" >&2; exit 2 ;;
esac
