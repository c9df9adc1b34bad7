#!/usr/bin/env bash
# Keeps every core busy with a process that spins, until it is ended or COMMAND ends: to
# see what depends on the speed of the machine.
#
# Usage: busy.sh [COMMAND...]     for example busy.sh make test
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
