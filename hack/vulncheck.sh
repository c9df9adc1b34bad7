#!/usr/bin/env bash
# Looks for known vulnerabilities in the code that the operator calls.
#
# Usage: vulncheck.sh
#
# GOVULNCHECK is the program. GOVULNDB is the database, https://vuln.go.dev by
# default; a copy can be given as file:///DIRECTORY.
#
# Exit codes: 0 nothing was found; 3 something was; 75 NOT RUN, since the database
# cannot be read, which says nothing about vulnerabilities; 1 the check itself failed.
set -uo pipefail
cd "$(dirname "$0")/.."

govulncheck=${GOVULNCHECK:-bin/govulncheck}
db=${GOVULNDB:-https://vuln.go.dev}

# It tells the age of the database if it can read it.
about=$("$govulncheck" -version -db "$db" 2>&1)
if ! grep -q '^DB updated' <<<"$about"; then
  echo "$about"
  echo "vulncheck: NOT RUN: the vulnerability database $db cannot be read from here." >&2
  echo "Whether the operator has known vulnerabilities is not known. GOVULNDB=file:///DIRECTORY names a copy of the database." >&2
  exit 75
fi
echo "$about"
"$govulncheck" -db "$db" .
