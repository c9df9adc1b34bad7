#!/usr/bin/env bash
# Builds a program of a Go module, unless it was built before from the same sources with the
# same flags and version of Go, and makes LINK a symbolic link to it. All clones of the
# repository on a machine share the programs.
#
# Usage: tool.sh LINK MODULE PACKAGE [BUILD FLAG...]
#
# The programs are under jobflow-devcluster/tools in $DEVCLUSTER_CACHE, by default ~/.cache,
# where devcluster keeps the programs of its clusters, too.
set -euo pipefail
link=$1 module=$2 package=$3
shift 3
cache=${DEVCLUSTER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}}/jobflow-devcluster/tools
name=$(basename "$link")

sources=("$module/go.mod" "$module/go.sum")
if [[ $package == ./* ]]; then
  shopt -s nullglob
  sources+=("$module/$package"/*.go "$module"/internal/*/*.go)
fi
key=$({
  cat "${sources[@]}"
  go env GOVERSION GOOS GOARCH CGO_ENABLED GOFLAGS
  printf '%s\n' "$package" "$@"
} | sha256sum | cut -c1-16)
program=$cache/$name-$key/$name

if [[ ! -x $program ]]; then
  printf '\n==> Building %s\n' "$name" >&2
  mkdir -p "$cache/$name-$key"
  new=$(mktemp "$cache/$name-$key/new.XXXXXX")
  trap 'rm -f "$new"' EXIT
  go -C "$module" build -o "$new" -ldflags '-s -w' "$@" "$package"
  mv "$new" "$program"
fi
mkdir -p "$(dirname "$link")"
ln -sfn "$program" "$link"
