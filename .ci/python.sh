#!/usr/bin/env bash
# Tests and type checks of the Python SDK and the built-in jobs, in a virtual
# environment of their own with pinned tools. Arguments go to pytest.
set -euo pipefail
cd "$(dirname "$0")/.."

pins=(pytest==9.2.0 mypy==2.4.1)
venv=bin/venv
stamp=$venv/.pins
if [ ! -x "$venv/bin/mypy" ] || [ "$(cat "$stamp" 2>/dev/null)" != "${pins[*]}" ]; then
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check "${pins[@]}"
  echo "${pins[*]}" >"$stamp"
fi

export PYTHONDONTWRITEBYTECODE=1
"$venv/bin/mypy" --strict --cache-dir bin/mypy-cache deploy/sdk/stalker_sdk
"$venv/bin/pytest" -c deploy/sdk/pyproject.toml --rootdir deploy --confcutdir deploy deploy "$@"
