#!/usr/bin/env bash
# Fails unless the files that .gitattributes marks as generated are those that "make regenerate"
# writes, which are newer than STAMP.
#
# Usage: generated.sh STAMP
set -euo pipefail
stamp=$1

files() { git ls-files -co --exclude-standard "$@"; }
marked=$(files -z | git check-attr -z --stdin linguist-generated | tr '\0' '\n' | paste - - - | sed -n 's/\tlinguist-generated\tset$//p' | sort)
written=$(files -z | xargs -0 sh -c 'find "$@" -maxdepth 0 -newer "$0"' "$stamp" | sort)

if ! diff <(printf '%s\n' "$marked") <(printf '%s\n' "$written"); then
  echo 'make regenerate writes other files (>) than those marked with linguist-generated in .gitattributes (<)' >&2
  exit 1
fi
