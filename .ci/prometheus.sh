#!/usr/bin/env bash
# What the chart brings for Prometheus and Grafana, tried with a real Prometheus:
# the alert rules are valid and fire when they should (promtool), and every panel of
# the dashboards shows data of a server that discovers the demo lab.
#
#   .ci/prometheus.sh fetch   install it into the cache and print where prometheus and promtool are
#   .ci/prometheus.sh test    run the checks; needs bin/stalker
set -euo pipefail
cd "$(dirname "$0")/.."
here=.ci/prometheus

say() { printf 'prometheus: %s\n' "$*" >&2; }

fetch() { # the Debian package, unpacked: installing it would start a service
  local dir=${STALKER_CACHE:-$HOME/.cache/stalker}/prometheus
  if [ ! -x "$dir/usr/bin/promtool" ]; then
    command -v apt-get >/dev/null || { say "prometheus and promtool are missing, and this machine has no apt-get"; exit 1; }
    say "fetching the Debian package"
    rm -rf "$dir"; mkdir -p "$dir"
    [ "$(id -u)" != 0 ] || apt-get update -qq
    (cd "$dir" && chmod 755 . && apt-get -qq -o APT::Sandbox::User=root download prometheus && dpkg -x prometheus_*.deb . && rm prometheus_*.deb)
  fi
  printf '%s\n' "$dir/usr/bin"
}

case ${1:-} in
  fetch) fetch; exit ;;
  test) ;;
  *) echo "usage: .ci/prometheus.sh fetch|test" >&2; exit 2 ;;
esac

bin=$(fetch)
work=$(mktemp -d)
stop() { # what was started ends with this script
  trap - EXIT
  local running; running=$(jobs -p)
  [ -z "$running" ] || { kill $running 2>/dev/null || true; wait $running 2>/dev/null || true; }
  rm -rf "$work"
}
trap stop EXIT

sed 's|RUNBOOK_URL|https://runbooks.example/|' charts/stalker/files/alerts.yaml >"$work/alerts.yaml"
"$bin/promtool" check rules "$work/alerts.yaml"
cp "$here/alerts_test.yaml" "$work/"
"$bin/promtool" test rules "$work/alerts_test.yaml"

export CHDB_LIB_PATH=${CHDB_LIB_PATH:-$(ls "${STALKER_CACHE:-$HOME/.cache/stalker}"/chdb/*/libchdb.so | tail -1)}
say "starting a server and discovering the lab"
bin/stalker serve --data "$work/data" --listen 127.0.0.1:0 >"$work/server.log" 2>&1 &
for _ in $(seq 600); do
  target=$(sed -n 's|.*is running at http://||p' "$work/server.log")
  [ -z "$target" ] || break
  sleep 0.1
done
[ -n "$target" ] || { cat "$work/server.log" >&2; exit 1; }
sed "s|TARGET|$target|" "$here/prometheus.yaml" >"$work/prometheus.yaml"
listen=127.0.0.1:$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
"$bin/prometheus" --config.file "$work/prometheus.yaml" --storage.tsdb.path "$work/tsdb" --web.listen-address "$listen" --log.level error 2>"$work/prometheus.log" &
bin/stalker demo --data "$work/data" >"$work/demo.log" 2>&1 || { tail -40 "$work/demo.log" >&2; exit 1; }
python3 "$here/panels.py" "http://$listen" charts/stalker/files/dashboards/*.json
