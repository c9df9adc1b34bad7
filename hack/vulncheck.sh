#!/usr/bin/env bash
# Looks for known vulnerabilities in the code that the operator calls.
#
# Usage: vulncheck.sh
#
# GOVULNCHECK is the program. GOVULNDB is the database, https://vuln.go.dev by
# default; a copy can be given as file:///DIRECTORY.
#
# Exit codes: 0 nothing was found; 3 something was found; 75 NOT RUN, because the database cannot
# be read; 1 the check itself failed.
set -uo pipefail
cd "$(dirname "$0")/.."

govulncheck=${GOVULNCHECK:-bin/govulncheck}
db=${GOVULNDB:-https://vuln.go.dev}

# Print the age of the database if it can be read.
about=$("$govulncheck" -version -db "$db" 2>&1)
if ! grep -q '^DB updated' <<<"$about"; then
  echo "$about"
  echo "vulncheck: NOT RUN: the vulnerability database $db cannot be read from here." >&2
  echo "Whether the operator has known vulnerabilities is not known. GOVULNDB=file:///DIRECTORY names a copy of the database." >&2
  exit 75
fi
echo "$about"
"$govulncheck" -db "$db" .
