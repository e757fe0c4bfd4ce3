#!/usr/bin/env bash
# Run the tests of the page, then all others, so that pytest's summary is the last line.
# Usage: test.sh [PYTEST ARGUMENTS]    With CI set, a skipped test fails the run.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/test-needs.sh
page=
if [ -d frontend/node_modules ]; then
    npm --prefix frontend run --silent test </dev/null & # beside what is made ready below
    page=$!
else
    echo "Skipping the page's own tests: Node.js is missing." >&2
    [ -z "${CI:-}" ] || exit 1
fi
if [ -f tests/js/package.json ] && type -P npm >/dev/null &&
    [ tests/js/package-lock.json -nt tests/js/node_modules/.package-lock.json ]; then
    npm --prefix tests/js ci --no-audit --no-fund --loglevel=error </dev/null
    touch tests/js/node_modules/.package-lock.json
fi
# Where Python is told to write no bytecode, each process of the tests would compile all of it.
.venv/bin/python -m compileall -q src tests
[ -z "$page" ] || wait "$page"
options=()
[ -z "${CI:-}" ] || options+=(--fail-on-skip)
exec .venv/bin/python -m pytest ${options[@]+"${options[@]}"} "$@" </dev/null
