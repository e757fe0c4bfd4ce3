#!/usr/bin/env bash
# Install the locked Python packages into .venv.
# Usage: python-packages.sh run|dev    `run` leaves out what only developers need
set -euo pipefail
cd "$(dirname "$0")/.."

stamps=(.venv/.run-packages)
what=(--no-dev --inexact) # what a developer's environment has besides stays
if [ "${1:-run}" = dev ]; then
    stamps+=(.venv/.dev-packages)
    what=(--dev --group bench --compile-bytecode) # the tests start many processes
fi

# Without a Python, a uv that is already here may fetch one itself.
if python=$(scripts/find-python.sh); then
    export UV_PYTHON=$python
elif ! type -P uv >/dev/null; then
    exit 1
fi
uv=$(scripts/find-uv.sh "${python:-}")
# The machine's own certificates: many a company's network signs with one of its own.
export UV_SYSTEM_CERTS="${UV_SYSTEM_CERTS-true}"
echo "Installing Python packages (${python:-a Python that uv fetches}) …"
"$uv" sync --quiet --frozen --all-extras "${what[@]}"
touch "${stamps[@]}"
