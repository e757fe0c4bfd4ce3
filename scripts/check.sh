#!/usr/bin/env bash
# Everything that can be judged without running the product. Runs all checks, then says which failed.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
export PATH="$PWD/.venv/bin:$PATH"

failed=()
check() { # NAME COMMAND...
    local name=$1
    shift
    echo "· $name"
    "$@" </dev/null || failed+=("$name")
}

# The longest, beside all others: it has a core of its own.
types=$(mktemp)
trap 'rm -f "$types"' EXIT
pyright --warnings </dev/null >"$types" 2>&1 &
typing=$!

check "ruff" ruff check --quiet .
check "format" ruff format --check --quiet .
check "rooms" lint-imports --no-logo
check "licences" python scripts/licences.py
check "scripts" shellcheck --external-sources scripts/*.sh scripts/azd/*.sh .ci/run
check "workflows" actionlint
check "workflow permissions" zizmor --offline --quiet --no-progress .github
if [ -d frontend/node_modules ]; then
    check "page" npm --prefix frontend run --silent check
else
    echo "· page: skipped, Node.js is missing" >&2
    [ -z "${CI:-}" ] || failed+=("page")
fi
typed() {
    wait "$typing"
    local status=$?
    cat "$types"
    return $status
}
check "types" typed

if [ ${#failed[@]} -gt 0 ]; then
    echo "Failed: ${failed[*]}" >&2
    exit 1
fi
echo "All checks passed."
