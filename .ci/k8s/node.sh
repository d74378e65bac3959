# A node for the control plane of k8s.sh: kubelet, containerd and runc, as root, in a
# mount and a network namespace of their own, so that nothing of this machine changes.
# Sourced by k8s.sh, whose functions and variables it uses.

deb=$cache/node-bookworm-2 # programs and images, made once

# can_node says what is missing for a node here, and fails if something is.
can_node() {
  [[ $(id -u) == 0 ]] || { echo "root is needed"; return 1; }
  [[ $(dpkg --print-architecture 2>/dev/null) == amd64 ]] || { echo "Debian packages for amd64 are needed"; return 1; }
  unshare -mn --propagation private true 2>/dev/null || { echo "namespaces cannot be made (unshare -mn)"; return 1; }
  [[ -e /sys/fs/cgroup/memory/memory.limit_in_bytes || -e /sys/fs/cgroup/cgroup.controllers ]] || { echo "no memory cgroup is mounted"; return 1; }
  [[ -w /sys/fs/cgroup/memory || -w /sys/fs/cgroup/cgroup.subtree_control ]] || { echo "cgroups cannot be written"; return 1; }
}

# unpack DIR PACKAGE… puts Debian packages into a directory without installing them.
unpack() {
  local into=$1 d
  shift
  mkdir -p "$into" "$deb/packages"
  (cd "$deb/packages" && rm -f ./*.deb && apt-get download -qq "$@" >/dev/null 2>&1) || die "fetching Debian packages failed: $*"
  for d in "$deb"/packages/*.deb; do dpkg -x "$d" "$into"; done
}

# image REF ROOTFS OUT ENTRYPOINT makes a docker-archive.
image() {
  local ref=$1 root=$2 out=$3 entry=$4 w layer config
  w=$(mktemp -d)
  mkdir "$w/l"
  tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -C "$root" -cf "$w/l/layer.tar" .
  layer=$(sha256sum "$w/l/layer.tar" | cut -d' ' -f1)
  printf '{"architecture":"amd64","os":"linux","config":{"Env":["PATH=/usr/bin:/bin"],"Entrypoint":%s,"WorkingDir":"/"},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' "$entry" "$layer" >"$w/config.json"
  config=$(sha256sum "$w/config.json" | cut -d' ' -f1)
  mv "$w/config.json" "$w/$config.json"
  printf '[{"Config":"%s.json","RepoTags":["%s"],"Layers":["l/layer.tar"]}]' "$config" "$ref" >"$w/manifest.json"
  tar -C "$w" -cf "$out" manifest.json "$config.json" l/layer.tar
  rm -rf "$w"
}

node_build() {
  [[ -e $deb/.complete ]] && return
  say "fetching containerd, runc and Python, once"
  rm -rf "$deb"
  unpack "$deb/root" containerd runc containernetworking-plugins
  unpack "$deb/python" python3.11-minimal libpython3.11-minimal libpython3.11-stdlib libc6 libgcc-s1 libcrypt1 zlib1g libssl3 libexpat1 \
    libffi8 liblzma5 libbz2-1.0 libuuid1 libsqlite3-0 libncursesw6 libtinfo6 libreadline8 netbase
  ln -sf python3.11 "$deb/python/usr/bin/python3"
  mkdir -p "$deb/python/tmp" "$deb/python/stalker" "$deb/pause"
  image docker.io/library/stalker-job-python:latest "$deb/python" "$deb/python.tar" '["python3"]'
  CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o "$deb/pause/pause" "$sources/pause/main.go"
  image docker.io/library/pause:1 "$deb/pause" "$deb/pause.tar" '["/pause"]'
  touch "$deb/.complete"
}

# space makes the namespaces: everything of this cluster lives there.
space() {
  local f kv
  start holder unshare -m -n --propagation private sleep infinity
  sleep 0.5
  ns=(nsenter -t "$(<"$dir/pids/holder")" -m -n --)
  printf '%s\n' "${ns[*]}" >"$dir/ns"
  "${ns[@]}" ip link set lo up
  "${ns[@]}" ip link add node0 type bridge
  "${ns[@]}" ip addr add "$nodeip/24" dev node0
  "${ns[@]}" ip link set node0 up
  "${ns[@]}" ip route add default via "$nodeip" dev node0
  # what kubelet wants of the kernel, seen by it alone
  mkdir -p "$dir/sysctl"
  for kv in vm/overcommit_memory=1 kernel/panic=10 kernel/panic_on_oops=1; do
    f=$dir/sysctl/${kv//\//_}
    echo "${kv#*=}" >"$f"
    "${ns[@]}" mount --bind "$f" "/proc/sys/${kv%=*}"
  done
  "${ns[@]}" sh -c 'mkdir -p /var/lib/kubelet /var/log/containers && mount -t tmpfs vlk /var/lib/kubelet && mount -t tmpfs vlc /var/log/containers'
}

node_up() {
  mkdir -p "$dir/cni" "$dir/containerd"
  cat >"$dir/cni/10-bridge.conflist" <<C
{"cniVersion": "0.4.0", "name": "pods", "plugins": [
  {"type": "bridge", "bridge": "node0", "ipam": {"type": "host-local", "dataDir": "$dir/cni-data", "subnet": "10.244.0.0/24", "gateway": "$nodeip", "routes": [{"dst": "0.0.0.0/0"}]}},
  {"type": "loopback"}]}
C
  cat >"$dir/containerd.toml" <<C
version = 2
root = "$dir/containerd/root"
state = "$dir/containerd/state"
oom_score = 0
disabled_plugins = ["io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.aufs", "io.containerd.internal.v1.opt", "io.containerd.tracing.processor.v1.otlp"]
[grpc]
  address = "$dir/containerd/c.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "docker.io/library/pause:1"
  disable_apparmor = true
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "$deb/root/usr/lib/cni"
    conf_dir = "$dir/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "${STALKER_SNAPSHOTTER:-overlayfs}"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
        BinaryName = "$deb/root/usr/sbin/runc"
C
  cat >"$dir/kubelet.yaml" <<C
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: 0.0.0.0
readOnlyPort: 0
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: $dir/pki/ca.crt}}
authorization: {mode: Webhook}
tlsCertFile: $dir/pki/kubelet-serving.crt
tlsPrivateKeyFile: $dir/pki/kubelet-serving.key
containerRuntimeEndpoint: unix://$dir/containerd/c.sock
cgroupDriver: cgroupfs
failCgroupV1: false
failSwapOn: false
podLogsDir: $dir/podlogs
resolvConf: ""
enforceNodeAllocatable: ["pods"]
evictionHard: {memory.available: "100Mi", nodefs.available: "1%", imagefs.available: "1%"}
nodeStatusUpdateFrequency: 4s
maxPods: 50
oomScoreAdj: 0
makeIPTablesUtilChains: false
C
  local path=$deb/root/usr/bin:$deb/root/usr/sbin:$PATH ctr
  ctr=("${ns[@]}" "$deb/root/usr/bin/ctr" -a "$dir/containerd/c.sock" -n k8s.io)
  start containerd env PATH="$path" "$deb/root/usr/bin/containerd" -c "$dir/containerd.toml"
  wait_for containerd 60 "${ctr[@]}" version
  "${ctr[@]}" images import "$deb/pause.tar" >/dev/null
  "${ctr[@]}" images import "$deb/python.tar" >/dev/null
  start kubelet env PATH="$path" "$bin" kubelet --config "$dir/kubelet.yaml" --kubeconfig "$dir/pki/node1.kubeconfig" \
    --hostname-override node1 --node-ip "$nodeip" --root-dir "$dir/kubelet" --v=2
  wait_for "the node" 120 node_ready
  pods_first
}

# pods_first lets pods have the processor time they ask for, whoever else uses this
# machine: beside many busy programs a pod with a tenth of a processor gets so little
# that every timeout in it ends.
pods_first() {
  local share
  for share in /sys/fs/cgroup/cpu/kubepods/cpu.shares=65536 /sys/fs/cgroup/kubepods/cpu.weight=10000; do
    [[ ! -w ${share%=*} ]] || echo "${share#*=}" >"${share%=*}"
  done
}

node_ready() { ask /api/v1/nodes/node1 | python3 -c 'import json, sys; sys.exit(not any(c["type"] == "Ready" and c["status"] == "True" for c in json.load(sys.stdin)["status"]["conditions"]))'; }

node_down() {
  [[ -e $dir/pids/holder ]] || return 0
  local ctr id
  ctr=("${ns[@]}" "$deb/root/usr/bin/ctr" -a "$dir/containerd/c.sock" -n k8s.io)
  stop_one kubelet
  for id in $("${ctr[@]}" tasks ls -q 2>/dev/null); do "${ctr[@]}" tasks kill -s KILL "$id" >/dev/null 2>&1 || true; done
  sleep 1
  for id in $("${ctr[@]}" containers ls -q 2>/dev/null); do
    "${ctr[@]}" tasks rm -f "$id" >/dev/null 2>&1 || true
    "${ctr[@]}" containers rm "$id" >/dev/null 2>&1 || true
  done
  stop_one containerd
}
