#!/usr/bin/env bash
# Write the bills of materials, CycloneDX 1.5, of what the locks name: Python's and the page's. No network.
# Usage: sbom.sh [FOLDER]    into `out` unless told otherwise
set -euo pipefail
cd "$(dirname "$0")/.."

folder=${1:-out}
mkdir -p "$folder"
uv=$(scripts/find-uv.sh)
"$uv" export --quiet --frozen --no-dev --format cyclonedx1.5 --preview-features sbom-export \
    --output-file "$folder/sbom-python.cdx.json"
npm --prefix frontend sbom --package-lock-only --omit dev --sbom-format cyclonedx \
    >"$folder/sbom-page.cdx.json"
echo "Written: $folder/sbom-python.cdx.json, $folder/sbom-page.cdx.json"
