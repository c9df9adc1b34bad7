# To be sourced.

# need_commit COMMIT VERSION: the sources of a released version have to be in this
# clone. A shallow one gets them from where it came from.
need_commit() {
  git cat-file -e "$1^{commit}" 2> /dev/null && return
  echo "Fetching $1, the sources of $2" >&2
  if ! git fetch --quiet --depth=1 origin "$1"; then
    echo "commit $1, the sources of $2, is not in this clone: git fetch --unshallow" >&2
    return 1
  fi
}
