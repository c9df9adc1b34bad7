#!/usr/bin/env bash
# Writes the SBOM of the operator's image in CycloneDX's JSON. The image has one program and
# nothing else, and the Go tool has recorded its modules in it. The SBOM has no serial number and
# no time, so that the same program gives the same SBOM.
#
# Usage: [MANAGER=FILE] [SBOM=FILE] sbom.sh VERSION
set -euo pipefail
cd "$(dirname "$0")/.."
bin/cyclonedx-gomod bin -json -noserial -notimestamp -std -version "$1" \
  -output "${SBOM:-bin/jobflow-operator.cdx.json}" "${MANAGER:-bin/manager}"
