#!/usr/bin/env bash
# Builds the operator once more, from a copy of the source in another directory, and compares
# the program, its image and its SBOM with those of "make image sbom". Fails if they differ, or if
# the SBOM lacks a module of the program.
#
# Usage: image-verify.sh IMAGE VERSION
set -euo pipefail
cd "$(dirname "$0")/.."
image=$1
version=$2

copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
# Without bin/ and .git: the result must depend on the source alone.
git ls-files -co --exclude-standard -z | while IFS= read -r -d '' file; do
  [[ -e $file ]] && printf '%s\0' "$file"
done | tar --null --files-from - --create --file - | tar --extract --file - --directory "$copy"

make -C "$copy" build VERSION="$version"
bin/devcluster image --binary "$copy/bin/manager" --name "$image" --out "$copy/bin/image.tar"
SBOM="$copy/bin/sbom.json" MANAGER="$copy/bin/manager" hack/sbom.sh "$version"

failed=0
same() {
  local ours theirs
  ours=$(sha256sum < "$1") theirs=$(sha256sum < "$2")
  if [[ $ours == "$theirs" ]]; then
    printf '%-32s sha256:%s\n' "$1" "${ours%% *}"
  else
    printf '%-32s differs: sha256:%s here, sha256:%s in another directory\n' "$1" "${ours%% *}" "${theirs%% *}" >&2
    failed=1
  fi
}
same bin/manager "$copy/bin/manager"
same bin/image.tar "$copy/bin/image.tar"
same bin/jobflow-operator.cdx.json "$copy/bin/sbom.json"

modules=0
while read -r module version; do
  modules=$((modules + 1))
  if ! grep -qF "pkg:golang/$module@$version" bin/jobflow-operator.cdx.json; then
    echo "bin/jobflow-operator.cdx.json does not have $module $version" >&2
    failed=1
  fi
done < <(go version -m bin/manager | awk '$1 == "dep" { print $2, $3 }')
if [[ $modules -eq 0 ]]; then
  echo "bin/manager does not tell its modules" >&2
  failed=1
fi
[[ $failed -eq 0 ]] && echo "Two builds in two directories are one and the same; the SBOM has all $modules modules."
exit $failed
