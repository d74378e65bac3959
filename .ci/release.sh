#!/usr/bin/env bash
# Makes everything a release consists of, in dist/<version>: binaries with their
# SBOM, the chart, the wheel of the SDK, the source (which is the context the images
# of deploy/images are built from), what changed, and checksums. The same commit
# gives the same files. `release.sh test` makes one for this kind of machine alone and
# tries what is in it.
set -euo pipefail
cd "$(dirname "$0")/.."

described=$(git describe --tags --match 'v[0-9]*' --always)
case $described in
  v*-*-g*) base=${described#v}; version=${base%%-*}-dev.${base#*-}; version=${version/-g/.g} ;; # after a tag
  v*) version=${described#v} ;;
  *) version=0.0.0-dev.g$described ;;                                                            # before the first
esac
export SOURCE_DATE_EPOCH; SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
out=dist/$version
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT

pack() { # archive, folder: the same bytes whoever packs, whenever
  tar --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner -C "$work" -c "$2" | gzip -9n >"$1"
}

binary() { # architecture
  local name=stalker-$version-linux-$1
  mkdir -p "$work/$name"
  CGO_ENABLED=0 GOOS=linux GOARCH=$1 go build -buildvcs=false -trimpath -ldflags "-s -w -X main.version=$version" -o "$work/$name/stalker" ./cmd/stalker
  cp LICENSE README.md "$work/$name/"
  pack "$out/$name.tar.gz" "$name"
  go tool -modfile=.ci/sbom/go.mod cyclonedx-gomod bin -json -noserial -output "$out/$name.cdx.json" "$work/$name/stalker"
}

chart() {
  cp -r charts/stalker "$work/stalker"
  "$(.ci/chart.sh tool helm)" package --version "$version" --app-version "$version" --destination "$work" "$work/stalker" >/dev/null
  rm -r "$work/stalker"; tar -C "$work" -xmzf "$work/stalker-$version.tgz" # helm writes the time of day into its archive
  pack "$out/stalker-chart-$version.tgz" stalker
}

wheel() {
  local v=${version/-dev./.dev0+} # PEP 440
  cp -r deploy/sdk "$work/sdk"; cp LICENSE "$work/sdk/"
  sed -i "s/^version = .*/version = \"$v\"/" "$work/sdk/pyproject.toml"
  python3 -m venv "$work/venv"
  "$work/venv/bin/pip" wheel --quiet --disable-pip-version-check --no-deps --wheel-dir "$out" "$work/sdk"
}

changes() { # what the commits since the last tag say, by component
  local last; last=$(git describe --tags --abbrev=0 --match 'v[0-9]*' HEAD^ 2>/dev/null || true)
  printf '# Stalker %s\n' "$version"
  git log --no-merges --format=%s "${last:+$last..}HEAD" | sort -u | awk -F': ' '
    NF > 1 { if ($1 != c) printf "\n## %s\n", c = $1; sub(/^[^:]*: /, ""); print "* " $0 }'
}

[ -z "$(git status --porcelain --untracked-files=no)" ] || { echo "a release is made of what is committed; this is not:" >&2; git status --short >&2; exit 1; }
rm -rf "$out"; mkdir -p "$out"
[ -s api/ui/dist/index.html ] || { echo "the web interface is not built: make ui" >&2; exit 1; }
arches=(amd64 arm64)
if [ "${1:-}" = test ]; then arches=(amd64); fi
for arch in "${arches[@]}"; do binary "$arch"; done
chart
wheel
git archive --format=tar --prefix="stalker-$version/" HEAD | gzip -9n >"$out/stalker-$version-src.tar.gz"
changes >"$out/CHANGES.md"
(cd "$out" && sha256sum -- * >"$work/sums" && mv "$work/sums" SHA256SUMS)

if [ "${1:-}" = test ]; then
  (cd "$out" && sha256sum --check --quiet SHA256SUMS)
  tar -C "$work" -xzf "$out/stalker-$version-linux-amd64.tar.gz"
  "$work/stalker-$version-linux-amd64/stalker" --version | grep -F "$version"
  "$(.ci/chart.sh tool helm)" template x "$out/stalker-chart-$version.tgz" --kube-version 1.35.0 --values charts/stalker/tests/values/external.yaml >/dev/null
  "$work/venv/bin/pip" install --quiet --disable-pip-version-check --no-index "$out"/*.whl
  (cd "$work" && venv/bin/python -c 'import stalker_sdk; print("the wheel gives", stalker_sdk.__name__)')
  grep -q '"bomFormat": "CycloneDX"' "$out"/*amd64.cdx.json
fi
ls -sh "$out"
