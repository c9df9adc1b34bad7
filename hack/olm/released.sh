# Source this file.

# need_commit COMMIT VERSION makes sure that this clone has the sources of a released version. A
# shallow clone fetches them from its origin.
need_commit() {
  git cat-file -e "$1^{commit}" 2> /dev/null && return
  echo "Fetching $1, the sources of $2" >&2
  if ! git fetch --quiet --depth=1 origin "$1"; then
    echo "commit $1, the sources of $2, is not in this clone: git fetch --unshallow" >&2
    return 1
  fi
}
