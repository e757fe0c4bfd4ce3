#!/usr/bin/env bash
# Look for secrets in what is committed here, which takes a minute; pre-commit looks at each commit.
# Those of the tests are none: they are in `.secrets.baseline`, by their hash. Where a new one is none
# either, run this with --accept, and look at the difference.
# Usage: secrets.sh [FILE…]    all that git knows, unless told otherwise
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/.venv/bin:$PATH"

readonly OTHERS='(\.(npz|png|svg|wav|lock)|package-lock\.json|\.gen\.ts|docs/openapi\.json|\.secrets\.baseline|tests/local/mind/data/.*|tests/fuzz/corpus/.*|tests/azd/data/.*)$'
if [ "${1:-}" = --accept ]; then
    detect-secrets scan --no-verify --disable-plugin KeywordDetector --disable-plugin HexHighEntropyString \
        --disable-plugin Base64HighEntropyString --disable-plugin IPPublicDetector \
        --exclude-files "$OTHERS" >.secrets.baseline
    exit
fi
files=("$@")
[ $# -gt 0 ] || mapfile -d "" files < <(git ls-files -z)
# 3: those of the baseline stand on other lines now, which it has written down.
detect-secrets-hook --no-verify --baseline .secrets.baseline "${files[@]}" || [ $? -eq 3 ]
