#!/usr/bin/env bash
# Keeps every core busy with a spinning process, until COMMAND ends, or without a COMMAND
# until it is stopped. This shows what depends on the speed of the machine.
#
# Usage: busy.sh [COMMAND...]     for example: hack/busy.sh make test
set -euo pipefail
spinning=()
trap 'kill "${spinning[@]}"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
for ((core = 0; core < $(nproc); core++)); do
  (while :; do :; done) &
  spinning+=($!)
done
if [[ $# -gt 0 ]]; then
  "$@"
else
  wait
fi
