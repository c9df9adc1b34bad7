#!/usr/bin/env bash
# Builds the tests of one package and runs those that match.
#
# Usage: spec.sh PACKAGE [FOCUS [REPEAT [RACE]]]
#   PACKAGE  a directory of the repository
#   FOCUS    a few words of a Ginkgo spec, or a regular expression for the name of a Go test
#   REPEAT   how many times to run the tests; once by default
#   RACE     anything but empty: use the race detector
#
# Tests that can use an existing API server use the one of "make apiserver" if it runs;
# otherwise the tests start their own. Tests on real nodes use the cluster of KUBECONFIG, or
# else devcluster's cluster CLUSTER.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
package=${1%/} focus=${2:-} repeat=${3:-1} race=${4:-}
if [[ -z $package || ! -d $package ]]; then
  echo "Which package? For example: make spec PKG=controllers/apitest FOCUS='honours parallelism'" >&2
  exit 2
fi

module=$package
while [[ ! -e $module/go.mod ]]; do module=$(dirname "$module"); done
devcluster=$root/bin/devcluster

uses() { grep -qsE "$1" "$package"/*.go; }
runs() { "$devcluster" status --name "$1" 2> /dev/null | grep -q '^kubernetes'; }

flags=(-ldflags=-w)
if [[ -n $race ]]; then
  export CGO_ENABLED=1
  flags+=(-race)
fi
if uses '"OPERATOR"|operator\.Program'; then
  make build
  export OPERATOR=$root/bin/manager
fi
if uses 'manifests\.Helm'; then
  make "$root/bin/helm"
fi
if uses '"PROMTOOL"'; then
  make "$root/bin/promtool"
  export PROMTOOL=$root/bin/promtool
fi
case $package in
  test/e2e | test/olm | test/helm/install | test/faults/cluster)
    export KUBECONFIG=${KUBECONFIG:-$("$devcluster" kubeconfig --name "$CLUSTER")}
    PATH=$("$devcluster" bin-dir):$PATH
    export DEVCLUSTER=$devcluster FAULTS_REPORT=$root/bin/faults
    if [[ $package == test/olm ]]; then
      set -a
      source bin/olm/references
    fi
    ;;
  *)
    if uses USE_EXISTING_CLUSTER && runs "$UNIT_CLUSTER"; then
      KUBECONFIG=$("$devcluster" kubeconfig --name "$UNIT_CLUSTER")
      export KUBECONFIG USE_EXISTING_CLUSTER=true
    elif uses 'envtest|internal/testing/apiserver|faults/internal/'; then
      KUBEBUILDER_ASSETS=$("$devcluster" assets)
      export KUBEBUILDER_ASSETS
    fi
    ;;
esac

program=$root/bin/spec.test
go -C "$module" test "${flags[@]}" -c -o "$program" "./$(realpath --relative-to "$module" "$package")"
if uses 'RunSpecs|ginkgo\.Run'; then
  arguments=(-test.v -ginkgo.v -ginkgo.focus "$focus")
else
  arguments=(-test.v -test.run "$focus")
fi
cd "$package"
for ((i = 1; i <= repeat; i++)); do
  if ! "$program" "${arguments[@]}"; then
    echo "failed in run $i of $repeat" >&2
    exit 1
  fi
done
