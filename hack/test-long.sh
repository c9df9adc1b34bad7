#!/usr/bin/env bash
# Runs the tests that take too long for each change, part by part, and prints the result of
# each part. It skips a part that has already passed on this tree (docs and Markdown files
# do not count), so an interrupted run resumes where it stopped.
#
# Usage: test-long.sh PART...     see PARTS in the Makefile
#
# The output of a part is also written to bin/long/PART.log.
set -uo pipefail
cd "$(dirname "$0")/.."
stamps=bin/long
mkdir -p "$stamps"
tree=$(git ls-files -co --exclude-standard -z -- . ':!docs' ':!*.md' | sort -z | xargs -0 sha256sum 2> /dev/null | sha256sum | cut -c1-16)

elapsed() { printf '%dm%02ds' $(($1 / 60)) $(($1 % 60)); }

declare -A targets
faults=()
for part in "$@"; do
  case $part in
    cluster | fuzz | misuse | soak | trials) targets[$part]=faults-$part faults+=("$part") ;;
    chart | graphs | statements) targets[$part]=test-$part ;;
    bench) targets[$part]=bench ;;
    *)
      echo "test-long: there is no part $part" >&2
      exit 2
      ;;
  esac
done

summary=() failed=0
for part in "$@"; do
  target=${targets[$part]}
  if [[ -e $stamps/$part-$tree ]]; then
    summary+=("$(printf '%-11s passed before on this tree: %s' "$part" "$(< "$stamps/$part-$tree")")")
    continue
  fi
  printf '\n==> long: make %s\n' "$target"
  start=$SECONDS
  if make "$target" 2>&1 | tee "$stamps/$part.log"; then
    printf '%s, on %s\n' "$(elapsed $((SECONDS - start)))" "$(date +%F)" > "$stamps/$part-$tree"
    summary+=("$(printf '%-11s passed after %s' "$part" "$(elapsed $((SECONDS - start)))")")
  else
    failed=1
    summary+=("$(printf '%-11s FAILED after %s: %s' "$part" "$(elapsed $((SECONDS - start)))" "$stamps/$part.log")")
  fi
done

if [[ ${#faults[@]} -gt 0 ]]; then
  printf '\n==> What the faults came to\n'
  go -C test run ./faults/summary "$PWD/bin/faults" "${faults[@]}" || failed=1
fi
printf '\nSummary of tree %s\n' "$tree"
printf '  %s\n' "${summary[@]}"
exit $failed
