#!/usr/bin/env bash
# A PostgreSQL of its own for the tests, on loopback, in a temporary directory.
#
#   .ci/postgres.sh run CMD…   run CMD with STALKER_TEST_POSTGRES naming a server that lives as long
#
# Installs the Debian package when it is missing, without the cluster it would start.
set -euo pipefail

say() { printf 'postgres: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# bin prints where the newest installed server's programs are.
bin() {
  local dir
  dir=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
  [ -n "$dir" ] && [ -x "$dir/initdb" ] && { echo "$dir"; return; }
  command -v initdb >/dev/null && { dirname "$(command -v initdb)"; return; }
  return 1
}

install() {
  bin >/dev/null && return
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || die 'PostgreSQL is missing: install postgresql'
  say 'installing postgresql'
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql-common >/dev/null
  sed -i 's/^#* *create_main_cluster.*/create_main_cluster = false/' /etc/postgresql-common/createcluster.conf
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql >/dev/null
  bin >/dev/null || die 'installing postgresql brought no server'
}

# as runs a program as somebody who is not root: the server refuses to be.
as() {
  if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi
}

free_port() {
  local p
  for _ in $(seq 50); do
    p=$((20000 + RANDOM % 20000))
    (exec 3<>"/dev/tcp/127.0.0.1/$p") 2>/dev/null || { echo "$p"; return; }
  done
  die 'no free port found'
}

run() {
  local dir port pg password pid code=0
  install
  pg=$(bin)
  dir=$(mktemp -d)
  [ "$(id -u)" != 0 ] || chown postgres "$dir"
  password=$(head -c 18 /dev/urandom | base64 | tr '+/' '-_')
  printf '%s' "$password" >"$dir/password"
  [ "$(id -u)" != 0 ] || chown postgres "$dir/password"
  chmod 600 "$dir/password"
  as "$pg/initdb" -D "$dir/data" -U stalker --pwfile="$dir/password" --auth=scram-sha-256 -E UTF8 --locale=C.UTF-8 --no-sync >"$dir/log" 2>&1 ||
    { cat "$dir/log" >&2; rm -rf "$dir"; die 'initdb failed'; }
  port=$(free_port)
  : >"$dir/log"
  # tests may lose what they wrote, so nothing waits for the disk
  as "$pg/postgres" -D "$dir/data" -h 127.0.0.1 -p "$port" -k "$dir" -c fsync=off -c max_connections=200 >"$dir/log" 2>&1 &
  pid=$!
  # shellcheck disable=SC2064 # the values of now are meant
  trap "as '$pg/pg_ctl' -D '$dir/data' -m immediate -w stop >/dev/null 2>&1 || true; wait $pid 2>/dev/null || true; rm -rf '$dir'" EXIT
  for _ in $(seq 300); do
    "$pg/pg_isready" -q -h 127.0.0.1 -p "$port" && break
    kill -0 "$pid" 2>/dev/null || { cat "$dir/log" >&2; die 'the server did not start'; }
    sleep 0.1
  done
  "$pg/pg_isready" -q -h 127.0.0.1 -p "$port" || { cat "$dir/log" >&2; die 'the server was not ready within half a minute'; }
  say "$("$pg/postgres" --version) listens on 127.0.0.1:$port"
  STALKER_TEST_POSTGRES="postgres://stalker:$password@127.0.0.1:$port/postgres?sslmode=disable" "$@" || code=$?
  return $code
}

case ${1:-} in
  run) shift; [ $# -gt 0 ] || die 'run needs a command'; run "$@" ;;
  *) die 'use: run CMD…' ;;
esac
