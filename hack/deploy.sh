#!/usr/bin/env bash
# Installs config/default in the cluster of KUBECONFIG with the given image, and
# waits until the operator is ready and its webhooks are registered.
#
# Usage: deploy.sh IMAGE [ARCHIVE]
#
# ARCHIVE is the image's archive, if the nodes got the image from it. Its checksum goes into the
# pod template, so that another image of the same name replaces the pods. COMPONENTS are the
# components of config/components to add, separated by blanks.
set -euo pipefail

image=$1
archive=${2:-}
kustomize=${KUSTOMIZE:-kustomize}
root=$(cd "$(dirname "$0")/.." && pwd)
namespace=jobflow-operator-system
deployment=jobflow-operator-controller-manager
webhooks=jobflow-operator-validating-webhook-configuration

# kustomize needs the name of the image and its tag or digest separately. A colon before the last
# slash belongs to the port of a registry.
case $image in
  *@*) name=${image%@*} part="digest: ${image#*@}" ;;
  *) if [[ ${image##*/} == *:* ]]; then
       name=${image%:*} part="newTag: ${image##*:}"
     else
       name=$image part="newTag: latest"
     fi ;;
esac

# kustomize accepts only relative paths to directories. The files of the tree are not edited.
overlay=$root/bin/deploy
mkdir -p "$overlay"
{
  cat <<YAML
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
  - ../../config/default
images:
  - name: ghcr.io/jobflow-operator/jobflow-operator
    newName: $name
    $part
YAML
  if [[ -n ${COMPONENTS:-} ]]; then
    echo components:
    for component in $COMPONENTS; do
      echo "  - ../../config/components/$component"
    done
  fi
  if [[ -n $archive ]]; then
    cat <<YAML
patches:
  - target:
      kind: Deployment
      name: $deployment
    patch: |
      - op: add
        path: /spec/template/metadata/annotations/api.practice.com~1image-archive
        value: "$(sha256sum "$archive" | cut -d' ' -f1)"
YAML
  fi
} > "$overlay/kustomization.yaml"

"$kustomize" build "$overlay" | kubectl apply --server-side=false -f -

if ! kubectl --namespace "$namespace" rollout status "deployment/$deployment" --timeout=3m; then
  echo "The operator does not get ready:" >&2
  kubectl --namespace "$namespace" get pods -o wide >&2
  kubectl --namespace "$namespace" get events --sort-by=.lastTimestamp >&2 | tail -n 20
  kubectl --namespace "$namespace" logs "deployment/$deployment" --tail=30 >&2 || true
  exit 1
fi
kubectl wait "validatingwebhookconfiguration/$webhooks" --for='jsonpath={.webhooks[0].clientConfig.caBundle}' --timeout=2m
