#!/usr/bin/env bash
# Installs OLM in the cluster of KUBECONFIG, from the chart in OLM's own Go module: the
# olm-operator and the catalog-operator. It leaves out the packageserver, which only lists
# packages, and the catalog of OperatorHub.io.
#
# Usage: install.sh OLM_IMAGE OPM_IMAGE     both by digest, known to the nodes
set -euo pipefail
cd "$(dirname "$0")/../.."
olm=$(go -C hack/olm list -m -f '{{.Dir}}' github.com/operator-framework/operator-lifecycle-manager)

# Too large for a client-side apply.
kubectl apply --server-side --filename "$olm/deploy/chart/crds"
kubectl wait --for=condition=Established --timeout=2m --filename "$olm/deploy/chart/crds"

templates=()
for template in 00-namespace 01-networkpolicies 02-olm-operator.serviceaccount 03-olmconfig \
  07-olm-operator.deployment 08-catalog-operator.deployment 09-aggregated.clusterrole 13-operatorgroup-default; do
  templates+=(--show-only "templates/0000_50_olm_$template.yaml")
done
bin/helm template olm "$olm/deploy/chart" "${templates[@]}" \
  --set namespace=olm,catalog_namespace=olm,operator_namespace=operators \
  --set "olm.image.ref=$1,olm.image.pullPolicy=IfNotPresent" \
  --set "catalog.image.ref=$1,catalog.image.pullPolicy=IfNotPresent" \
  --set "catalog.opmImageArgs=--opmImage=$2" > bin/olm/olm.yaml
kubectl apply --server-side --filename bin/olm/olm.yaml

for deployment in olm-operator catalog-operator; do
  if ! kubectl --namespace olm rollout status "deployment/$deployment" --timeout=2m; then
    kubectl --namespace olm get pods --output wide >&2
    kubectl --namespace olm logs "deployment/$deployment" --tail=50 >&2 || true
    exit 1
  fi
done
