#!/usr/bin/env bash
# Checks for the programs that building and running need; where apt-get and root
# are at hand, installs what is missing, else says how to get it.
set -euo pipefail

missing=()
for pair in go:golang npm:npm python3:python3 git:git curl:curl ssh:openssh-client; do
  command -v "${pair%%:*}" >/dev/null || missing+=("${pair##*:}")
done
if command -v python3 >/dev/null && ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
  missing+=(python3-venv)
fi
[ ${#missing[@]} -eq 0 ] && exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "installing: ${missing[*]}" >&2
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
else
  echo "missing: ${missing[*]}; install them with your package manager, e.g. sudo apt-get install ${missing[*]}" >&2
  exit 1
fi
want=$(sed -n 's/^go \([0-9]*\.[0-9]*\).*/\1/p' go.mod)
have=$(go env GOVERSION | sed 's/^go//')
if [ "$(printf '%s\n%s\n' "$want" "$have" | sort -V | head -1)" != "$want" ]; then
  echo "Go $want or newer is needed, $have is installed" >&2
  exit 1
fi
