#!/usr/bin/env bash
# Remove what was built or installed here. The data of your calls (.data/) stays.
set -euo pipefail
cd "$(dirname "$0")/.."

rm -rf .venv .tools frontend/node_modules tests/js/node_modules src/switchboard/browser/page \
    src/switchboard_local/softphone/built \
    .pytest_cache .ruff_cache .hypothesis test-results
find src tests bench -name __pycache__ -type d -prune -exec rm -rf {} +
