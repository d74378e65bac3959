#!/usr/bin/env bash
# A real Kubernetes for tests, on this machine, from Go modules and Debian packages.
# .ci/k8s/README.md says what it is made of.
#
#   .ci/k8s.sh build            build the binary (cached by the hash of its sources), print its path
#   .ci/k8s.sh up DIR           start etcd, API server, controllers and scheduler; kubeconfig: DIR/admin.kubeconfig
#   .ci/k8s.sh restart DIR      stop the API server and start it again
#   .ci/k8s.sh down DIR         stop everything that was started for DIR
#   .ci/k8s.sh node-up DIR      the same with a node: kubelet and containerd, as root, in namespaces of their own
#   .ci/k8s.sh in DIR COMMAND…  run a command where that node's network is
#   .ci/k8s.sh test             run the tests that need a cluster
#   .ci/k8s.sh test-plane       those alone that need a control plane
#   .ci/k8s.sh test-node        those alone that need a node
#   .ci/k8s.sh bench            measure how fast requests become Jobs; prints what go test -bench does
set -euo pipefail
top=$(cd "$(dirname "$0")/.." && pwd)
self=$top/.ci/k8s.sh
sources=$top/.ci/k8s

version=1.35.4
cache=${STALKER_CACHE:-$HOME/.cache/stalker}/k8s
say() { printf 'k8s: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

need() { # PROGRAM DEBIAN-PACKAGE
  command -v "$1" >/dev/null && return
  [[ $(id -u) == 0 ]] && command -v apt-get >/dev/null || die "$1 is missing: install $2"
  say "installing $2"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$2" >/dev/null
}

build() {
  local hash bin ldflags p=k8s.io/component-base/version
  hash=$(cat "$sources"/{go.mod,go.sum,main.go} | sha256sum | cut -c1-16)
  bin=$cache/$version-$hash/k8s
  if [[ ! -x $bin ]]; then
    mkdir -p "${bin%/*}"
    say "building Kubernetes $version with etcd, once: 5 to 12 minutes of processor time"
    ldflags="-s -w -X $p.gitVersion=v$version -X $p.gitMajor=1 -X $p.gitMinor=35 -X $p.gitTreeState=clean"
    ldflags+=" -X $p.gitCommit=$(printf '0%.0s' {1..40}) -X $p.buildDate=2026-01-01T00:00:00Z"
    (cd "$sources" && CGO_ENABLED=0 GOFLAGS=-buildvcs=false nice -n 10 go build -trimpath -ldflags "$ldflags" -o "$bin.new.$$" .)
    mv -f "$bin.new.$$" "$bin"
  fi
  printf '%s\n' "$bin"
}

# --- the control plane

nodeip=10.244.0.1
ns=() # what a command is run with to be where the node is
# shellcheck source=.ci/k8s/node.sh
. "$sources/node.sh"

# certs DIR PORT makes an authority and everybody's certificate, all ECDSA: a second.
certs() {
  local dir=$1 server=$2
  mkdir -p "$dir/pki"
  cd "$dir/pki"
  openssl ecparam -name prime256v1 -genkey -noout -out ca.key
  openssl req -x509 -new -key ca.key -subj /CN=stalker-test-ca -days 30 -out ca.crt 2>/dev/null
  cert() { # NAME SUBJECT [SAN]
    openssl ecparam -name prime256v1 -genkey -noout -out "$1.key"
    { echo extendedKeyUsage=clientAuth,serverAuth; [[ -z ${3:-} ]] || echo "subjectAltName=$3"; } >"$1.ext"
    openssl req -new -key "$1.key" -subj "$2" 2>/dev/null |
      openssl x509 -req -CA ca.crt -CAkey ca.key -CAcreateserial -days 30 -extfile "$1.ext" -out "$1.crt" 2>/dev/null
  }
  kubeconfig() { # NAME FILE
    cat >"$2" <<K
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "$server", certificate-authority-data: $(base64 -w0 ca.crt)}}]
users: [{name: u, user: {client-certificate-data: $(base64 -w0 "$1.crt"), client-key-data: $(base64 -w0 "$1.key")}}]
contexts: [{name: x, context: {cluster: c, user: u}}]
current-context: x
K
  }
  cert apiserver /CN=kube-apiserver "IP:127.0.0.1,IP:10.96.0.1,IP:$nodeip,DNS:localhost,DNS:kubernetes.default.svc"
  cert kubelet-serving /O=system:nodes/CN=system:node:node1 "IP:127.0.0.1,IP:$nodeip,DNS:node1"
  cert admin /O=system:masters/CN=admin
  cert apiserver-kubelet /O=system:masters/CN=kube-apiserver-kubelet-client
  cert controllers /CN=system:kube-controller-manager
  cert scheduler /CN=system:kube-scheduler
  cert node1 /O=system:nodes/CN=system:node:node1
  kubeconfig admin "$dir/admin.kubeconfig"
  for u in controllers scheduler node1; do kubeconfig "$u" "$u.kubeconfig"; done
  openssl ecparam -name prime256v1 -genkey -noout -out sa.key
  openssl ec -in sa.key -pubout -out sa.pub 2>/dev/null
  cd "$top"
}

free_port() { # one that nobody listens on
  local p
  while :; do
    p=$((20000 + RANDOM % 12000))
    (exec 3<>"/dev/tcp/127.0.0.1/$p") 2>/dev/null || { echo "$p"; return; }
  done
}

# start NAME COMMAND… runs in the background until down.
start() {
  local name=$1
  shift
  setsid "${ns[@]}" "$@" >>"$dir/log/$name.log" 2>&1 </dev/null &
  echo $! >"$dir/pids/$name"
  disown # what ends it says so itself
}

wait_for() { # WHAT SECONDS COMMAND…
  local what=$1 seconds=$2 i
  shift 2
  for ((i = 0; i < seconds * 10; i++)); do
    "$@" >/dev/null 2>&1 && return 0
    sleep 0.1
  done
  tail -n 5 "$dir"/log/*.log >&2 || true
  die "$what was not ready within $seconds s"
}

ask() { "${ns[@]}" curl -sf --cacert "$dir/pki/ca.crt" --cert "$dir/pki/admin.crt" --key "$dir/pki/admin.key" "https://127.0.0.1:$(<"$dir/port")$1"; }

apiserver() {
  local port etcd
  port=$(<"$dir/port") etcd=$(<"$dir/etcd-port")
  start kube-apiserver "$bin" kube-apiserver --etcd-servers="http://127.0.0.1:$etcd" --bind-address=0.0.0.0 --secure-port="$port" \
    --advertise-address="$(<"$dir/advertise")" --tls-cert-file="$dir/pki/apiserver.crt" --tls-private-key-file="$dir/pki/apiserver.key" \
    --client-ca-file="$dir/pki/ca.crt" --kubelet-client-certificate="$dir/pki/apiserver-kubelet.crt" \
    --kubelet-client-key="$dir/pki/apiserver-kubelet.key" --kubelet-certificate-authority="$dir/pki/ca.crt" \
    --kubelet-preferred-address-types=InternalIP --service-account-key-file="$dir/pki/sa.pub" \
    --service-account-signing-key-file="$dir/pki/sa.key" --service-account-issuer=https://kubernetes.default.svc \
    --service-cluster-ip-range=10.96.0.0/16 --authorization-mode=Node,RBAC --enable-admission-plugins=NodeRestriction \
    --allow-privileged=true --profiling=false
  wait_for "the API server" 120 ask /readyz
}

up() {
  need openssl openssl
  need curl curl
  mkdir -p "$dir"/{pids,log}
  [[ -e $dir/port ]] || free_port >"$dir/port"
  free_port >"$dir/etcd-port"
  [[ -e $dir/advertise ]] || echo 127.0.0.1 >"$dir/advertise"
  certs "$dir" "https://127.0.0.1:$(<"$dir/port")"
  local etcd peer
  etcd=$(<"$dir/etcd-port") peer=$(free_port)
  start etcd "$bin" etcd --data-dir "$dir/etcd" --unsafe-no-fsync --listen-client-urls "http://127.0.0.1:$etcd" \
    --advertise-client-urls "http://127.0.0.1:$etcd" --listen-peer-urls "http://127.0.0.1:$peer" --log-level warn
  apiserver
  # Its own limits would be what a benchmark of Jobs measures.
  start kube-controller-manager "$bin" kube-controller-manager --kubeconfig="$dir/pki/controllers.kubeconfig" \
    --secure-port=0 --service-account-private-key-file="$dir/pki/sa.key" --root-ca-file="$dir/pki/ca.crt" \
    --use-service-account-credentials=true --leader-elect=false --kube-api-qps=2000 --kube-api-burst=2000 --concurrent-job-syncs=20
  start kube-scheduler "$bin" kube-scheduler --kubeconfig="$dir/pki/scheduler.kubeconfig" --secure-port=0 --leader-elect=false \
    --kube-api-qps=2000 --kube-api-burst=2000
  wait_for "the default service account" 60 ask /api/v1/namespaces/default/serviceaccounts/default
}

stop_one() { # NAME
  local pid i
  pid=$(cat "$dir/pids/$1" 2>/dev/null) || return 0
  kill "$pid" 2>/dev/null || true
  for ((i = 0; i < 100; i++)); do
    [[ -d /proc/$pid ]] || break
    sleep 0.1
    ((i < 90)) || kill -9 "$pid" 2>/dev/null || true
  done
  rm -f "$dir/pids/$1"
}

down() {
  local name
  [[ ! -e $dir/ns ]] || read -ra ns <"$dir/ns"
  node_down
  for name in kube-scheduler kube-controller-manager kube-apiserver etcd holder; do stop_one "$name"; done
}

# --- tests

# with_plane COMMAND… runs a command while a control plane lives.
with_plane() {
  cd "$top"
  dir=$(mktemp -d "${TMPDIR:-/tmp}/stalker-k8s.XXXXXX")
  trap 'down; rm -rf "$dir"' EXIT
  up
  STALKER_TEST_HELM=$(.ci/chart.sh tool helm) STALKER_TEST_K8S="$dir" STALKER_TEST_K8S_SH="$self" STALKER_TEST_K8S_TIER=A "$@"
}

tests() {
  say "tier A: a control plane; the tests play the nodes"
  (plane_tests)
  local why
  if why=$(can_node); then
    say "tier B: a node, on which pods really run"
    (node_tests)
  else
    say "SKIPPED tier B, pods that really run: $why"
  fi
}

# node_tests runs what needs a node where its network is.
node_tests() {
  cd "$top"
  dir=$(mktemp -d "${TMPDIR:-/tmp}/stalker-k8s.XXXXXX")
  trap 'down; rm -rf --one-file-system "$dir"' EXIT
  go test -c -o "$dir/kube.test" ./sinks/launcher/kube
  go build -o "$dir/stalker" ./cmd/stalker
  with_node
  cd sinks/launcher/kube
  local args
  read -ra args <<<" ${ARGS:-}"
  args=(-test.timeout 30m -test.run ClusterNode "${args[@]/#-/-test.}") # the last -run counts
  "${ns[@]}" env -C "$PWD" STALKER_TEST_BIN="$dir/stalker" STALKER_TEST_K8S="$dir" STALKER_TEST_K8S_SH="$self" STALKER_TEST_K8S_TIER=B "$dir/kube.test" "${args[@]}"
}

# with_node makes a control plane with a node.
with_node() {
  node_build
  mkdir -p "$dir"/{pids,log}
  echo "$nodeip" >"$dir/advertise"
  space
  up
  node_up
}

plane_tests() { with_plane go test -count=1 -timeout 20m -run Cluster ${ARGS:-} ./sinks/launcher/kube; }

# What is measured shares the machine with the control plane, which elsewhere has its
# own: it collects garbage less often than it would.
bench() { GOGC=400 with_plane env -u GOGC go test -run '^$' -bench Cluster -benchtime 1x -timeout 10m ./sinks/launcher/kube; }

case ${1:-} in
  build) build ;;
  up | node-up | in | restart | down | test | test-plane | test-node | bench)
    bin=$(build)
    dir=${2:-}
    [[ $1 == test* || $1 == bench || -n $dir ]] || die "which directory?"
    case $1 in
      up) up ;;
      down) down ;;
      node-up)
        why=$(can_node) || die "no node here: $why"
        with_node
        ;;
      in)
        read -ra ns <"$dir/ns"
        "${ns[@]}" env -C "$PWD" "${@:3}"
        ;;
      restart) stop_one kube-apiserver && apiserver ;;
      test) tests ;;
      test-plane) plane_tests ;;
      test-node)
        why=$(can_node) || die "no node here: $why"
        node_tests
        ;;
      bench) bench ;;
    esac
    ;;
  *) sed -n '2,/^set/p' "$self" | sed '$d; s/^# \{0,1\}//'; exit 2 ;;
esac
