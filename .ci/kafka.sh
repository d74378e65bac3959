#!/usr/bin/env bash
# A real Apache Kafka for the tests: one node (KRaft) on loopback.
#
#   .ci/kafka.sh fetch            install what it needs and print where its jars are
#   .ci/kafka.sh serve DIR PORT   run a broker on 127.0.0.1:PORT (and PORT+1), data in DIR, until it is stopped;
#                                 STALKER_KAFKA_HOST is another address to do so on
#   .ci/kafka.sh run CMD…         run CMD with STALKER_TEST_KAFKA naming a broker that lives as long
#
# Versions are pinned in .ci/kafka/pom.xml; Maven knows the registry to ask.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

say() { printf 'kafka: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

need() { # program, Debian package
  command -v "$1" >/dev/null && return
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || die "$1 is missing: install $2"
  say "installing $2"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$2" >/dev/null
}

java_major() { java -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p'; }

fetch() {
  need java default-jre-headless
  [ "$(java_major)" -ge 17 ] || die "Java 17 or newer is needed, $(java_major) is installed"
  local pins libs
  pins=$(sha256sum <"$here/kafka/pom.xml" | cut -c1-12)
  libs=${STALKER_CACHE:-$HOME/.cache/stalker}/kafka/$pins
  if [ ! -f "$libs/.complete" ]; then
    need mvn maven
    say "fetching Kafka into $libs (45 MB)"
    rm -rf "$libs"
    mkdir -p "$libs"
    mvn -q -B -f "$here/kafka/pom.xml" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$libs" >&2
    touch "$libs/.complete"
  fi
  printf '%s\n' "$libs"
}

serve() { # DIR PORT
  local dir=$1 port=$2 host=${STALKER_KAFKA_HOST:-127.0.0.1} libs
  libs=$(fetch)
  mkdir -p "$dir"
  cat >"$dir/server.properties" <<CONF
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=$host:$((port + 1))
listeners=PLAINTEXT://$host:$port,CONTROLLER://$host:$((port + 1))
advertised.listeners=PLAINTEXT://$host:$port,CONTROLLER://$host:$((port + 1))
inter.broker.listener.name=PLAINTEXT
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs=$dir/data
auto.create.topics.enable=false
# one node, and tests that do not like to wait
group.initial.rebalance.delay.ms=0
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
CONF
  local java=(java -Xms256m -Xmx768m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Djava.awt.headless=true
    "-Dlog4j2.configurationFile=file:$here/kafka/log4j2.properties" -cp "$libs/*")
  if [ ! -f "$dir/data/meta.properties" ]; then
    "${java[@]}" kafka.tools.StorageTool format --standalone \
      -t "$("${java[@]}" kafka.tools.StorageTool random-uuid)" -c "$dir/server.properties" >"$dir/format.log" 2>&1 ||
      { cat "$dir/format.log" >&2; die "formatting $dir failed"; }
  fi
  exec "${java[@]}" kafka.Kafka "$dir/server.properties"
}

# free_port prints a port that is free together with the next one.
free_port() {
  local p
  for _ in $(seq 50); do
    p=$((20000 + RANDOM % 20000))
    if ! (exec 3<>"/dev/tcp/127.0.0.1/$p") 2>/dev/null && ! (exec 3<>"/dev/tcp/127.0.0.1/$((p + 1))") 2>/dev/null; then
      echo "$p"
      return
    fi
  done
  die 'no free port found'
}

run() {
  local port pid dir
  fetch >/dev/null
  dir=$(mktemp -d)
  port=$(free_port)
  touch "$dir/log"
  serve "$dir/broker" "$port" >"$dir/log" 2>&1 &
  pid=$!
  # shellcheck disable=SC2064 # the values of now are meant
  trap "kill $pid 2>/dev/null; wait $pid 2>/dev/null || true; rm -rf '$dir'" EXIT
  for _ in $(seq 600); do
    grep -q 'Kafka Server started' "$dir/log" && break
    kill -0 "$pid" 2>/dev/null || { cat "$dir/log" >&2; die 'the broker did not start'; }
    sleep 0.1
  done
  grep -q 'Kafka Server started' "$dir/log" || { cat "$dir/log" >&2; die 'the broker was not ready within a minute'; }
  say "Apache Kafka listens on 127.0.0.1:$port"
  local code=0
  STALKER_TEST_KAFKA=127.0.0.1:$port STALKER_TEST_KAFKA_SERVE=$here/kafka.sh "$@" || code=$?
  return $code
}

case ${1:-} in
  fetch) fetch ;;
  serve) [ $# = 3 ] || die 'serve needs DIR and PORT'; serve "$2" "$3" ;;
  run) shift; [ $# -gt 0 ] || die 'run needs a command'; run "$@" ;;
  *) die 'one of fetch, serve, run' ;;
esac
