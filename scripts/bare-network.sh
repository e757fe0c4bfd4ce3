#!/usr/bin/env bash
# `make run` where there is no network but loopback: it answers on the page and on the telephone, and
# nothing of it tries to reach anybody else.
# As root, in a network namespace of its own. Where that cannot be, this says so and ends well.
set -euo pipefail
cd "$(dirname "$0")/.."

not_here() {
    echo "Bare network: NOT run here: $1" >&2
    exit 0
}

[ "$(id -u)" = 0 ] || not_here "it needs root."
unshare --net true 2>/dev/null || not_here "this machine lets nobody have a network of their own."
# What `make run` would fetch, and it did.
make --silent .venv/.dev-packages page
touch .venv/.run-packages
export BARE_NETWORK=1
exec unshare --net .venv/bin/python -m pytest -q -p no:cacheprovider tests/container/test_bare_network.py "$@" </dev/null
