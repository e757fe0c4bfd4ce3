#!/usr/bin/env bash
# Build the web page into src/switchboard/browser/page/, and the local cloud's softphone. Without Node the server runs, pageless.
set -euo pipefail
cd "$(dirname "$0")/../frontend"

version=$(node --version 2>/dev/null </dev/null || true)
new_enough() {
    [[ $version =~ ^v([0-9]+)\.([0-9]+)\. ]] &&
        ((BASH_REMATCH[1] > 20 || (BASH_REMATCH[1] == 20 && BASH_REMATCH[2] >= 19)))
}
if ! new_enough || ! npm --version >/dev/null 2>&1 </dev/null; then
    echo "The web page was NOT built: it needs Node.js 20.19 or newer with npm (found: ${version:-none})." >&2
    echo "Install Node.js from nodejs.org and run this again. Everything else works without it." >&2
    exit 0
fi

if [ package-lock.json -nt node_modules/.package-lock.json ]; then
    echo "Installing the page's packages …"
    npm ci --no-audit --no-fund --loglevel=error </dev/null
    touch node_modules/.package-lock.json
fi
echo "Building the page …"
npm run --silent build </dev/null
npm run --silent build:softphone </dev/null
touch ../src/switchboard/browser/page/index.html
