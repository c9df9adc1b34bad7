#!/usr/bin/env bash
# Makes all images that a test under OLM needs, as archives in bin/olm: OLM itself, and the
# operator, the bundle and the catalog, including those of released versions. Writes their
# references by digest to bin/olm/references, a file to source.
#
# A released operator is built from the sources of its commit, so it is the one that users have.
#
# Usage: images.sh     needs bin/devcluster, bin/manager and OLM's programs in bin/
set -euo pipefail
cd "$(dirname "$0")/../.."
source hack/olm/released.sh
registry=ghcr.io/jobflow-operator
out=bin/olm
mkdir -p "$out"
: > "$out/references.new"

# image NAME REFERENCE FLAG... makes an archive, and a variable NAME with the reference by digest.
image() {
  local name=$1 reference=$2
  shift 2
  local archive=${name,,}
  printf '%s=%s\n' "$name" "$(bin/devcluster image --name "$reference" --out "$out/${archive//_/-}.tar" "$@")" >> "$out/references.new"
}

# by_digest NAME prints the reference that image has written.
by_digest() { sed -n "s/^$1=//p" "$out/references.new"; }

# variable VERSION prints the version as a part of a variable's name.
variable() { tr '.' '_' <<< "${1^^}"; }

csv_image() { sed -n 's/^ *containerImage: //p' "$1"/manifests/*.clusterserviceversion.yaml; }

bundle_image() { # VERSION DIR
  image "BUNDLE_$(variable "$1")" "$registry/jobflow-operator-bundle:$1" \
    --extra-file "$2/manifests:/manifests" --extra-file "$2/metadata:/metadata"
}

catalog_image() { # NAME TEMPLATE
  local dir=$out/${1,,}
  rm -rf "$dir"
  mkdir -p "$dir/configs"
  bin/rendercatalog "${bundles[@]}" "${pins[@]}" "$2" > "$dir/configs/catalog.yaml"
  # Otherwise a pod would create it at every start. It also creates a lock next to it, as any user.
  bin/opm serve "$dir/configs" --cache-dir "$dir/cache" --cache-only --pprof-addr= 2> "$dir/cache.log" \
    || { cat "$dir/cache.log" >&2; exit 1; }
  chmod -R a+rX "$dir"
  chmod -R a+w "$dir/cache"
  image "$1" "$registry/jobflow-operator-catalog:${1,,}" "${opm[@]}" \
    --extra-file "$dir/configs:/configs" --extra-file "$dir/cache:/tmp/cache" \
    --entrypoint "/bin/opm serve /configs --cache-dir=/tmp/cache"
}

# OLM's helper copies a program into the bundle's pod with cp, here a link to busybox.
image OLM quay.io/operator-framework/olm:local \
  --extra-file bin/olm-operator:/bin/olm --extra-file bin/olm-catalog:/bin/catalog \
  --extra-file bin/cpb:/bin/cpb --extra-file "$(command -v busybox):/bin/cp"
# Nodes keep these two layers once: they come first in the images of opm and of each catalog.
opm=(--extra-file bin/opm:/bin/opm --extra-file bin/grpc-health-probe:/bin/grpc_health_probe)
image OPM quay.io/operator-framework/opm:local "${opm[@]}" --entrypoint /bin/opm

bundles=() pins=()
template=$out/semver.yaml
current=$(bin/manager --version)
for dir in catalog/released/*; do
  version=$(basename "$dir")
  commit=$(< "$dir/commit")
  need_commit "$commit" "$version"
  manager=$out/$version/manager
  if [[ "$(cat "$out/$version/commit" 2> /dev/null)" != "$commit" || ! -x $manager ]]; then
    echo "Building the operator $version from $commit" >&2
    rm -rf "${out:?}/$version"
    mkdir -p "$out/$version/sources"
    git archive "$commit" | tar -x -C "$out/$version/sources"
    CGO_ENABLED=0 go -C "$out/$version/sources" build -trimpath -ldflags "-s -w -X main.version=$version" -o ../manager .
    cp "$dir/commit" "$out/$version/commit"
  fi
  image "OPERATOR_$(variable "$version")" "$(csv_image "$dir")" --binary "$manager"
  bundle_image "$version" "$dir"
  bundles+=(--bundle "$registry/jobflow-operator-bundle:$version=$dir")
  pins+=(--pin "$registry/jobflow-operator-bundle:$version=$(by_digest "BUNDLE_$(variable "$version")")")
done
image "OPERATOR_$(variable "$current")" "$(csv_image bundle)" --binary bin/manager
bundle_image "$current" bundle
bundles+=(--bundle "$registry/jobflow-operator-bundle:$current=bundle")
pins+=(--pin "$registry/jobflow-operator-bundle:$current=$(by_digest "BUNDLE_$(variable "$current")")")

# Upgrades can be held only from the current version on. For that there is a next version: the
# same operator under another version.
next=v$(awk -F. '{ print $1 "." $2 + 1 ".0" }' <<< "${current#v}")
rm -rf "$out/bundle-next"
cp -r bundle "$out/bundle-next"
sed -i -e "s/^  name: jobflow-operator.$current$/  name: jobflow-operator.$next/" \
  -e "s/^  version: ${current#v}$/  version: ${next#v}/" \
  -e "s/^  replaces: .*/  replaces: jobflow-operator.$current/" \
  -e "s/^    olm.skipRange: .*/    olm.skipRange: '>=0.1.0 <${next#v}'/" \
  "$out"/bundle-next/manifests/*.clusterserviceversion.yaml
bundle_image "$next" "$out/bundle-next"
bundles+=(--bundle "$registry/jobflow-operator-bundle:$next=$out/bundle-next")
pins+=(--pin "$registry/jobflow-operator-bundle:$next=$(by_digest "BUNDLE_$(variable "$next")")")

# The catalog before the current version, the current one, and a possible next one.
grep -v -e "-bundle:$current\$" catalog/semver.yaml > "$template"
catalog_image CATALOG_RELEASED "$template"
catalog_image CATALOG_CURRENT catalog/semver.yaml
sed "s/^\( *- image: .*-bundle:\)$current\$/&\n\1$next/" catalog/semver.yaml > "$template"
catalog_image CATALOG_NEXT "$template"
{
  echo "VERSION_CURRENT=$current"
  echo "VERSION_NEXT=$next"
} >> "$out/references.new"
mv "$out/references.new" "$out/references"
