#!/usr/bin/env bash
# Fails unless every bundle in catalog/released is that of its released commit. What users have
# installed must never change.
set -euo pipefail
cd "$(dirname "$0")/../.."
source hack/olm/released.sh
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

for dir in catalog/released/*; do
  version=$(basename "$dir")
  commit=$(< "$dir/commit")
  need_commit "$commit" "$version"
  mkdir "$scratch/$version"
  git archive "$commit" bundle/manifests bundle/metadata | tar -x -C "$scratch/$version"
  if ! diff --recursive --brief --exclude commit "$scratch/$version/bundle" "$dir"; then
    echo "verify-released.sh: $dir is not what was released as $version; restore it with git archive $commit bundle" >&2
    exit 1
  fi
  echo "$version is as it was released in $commit"
done
