#!/usr/bin/env bash
# Print the path of a uv that can read our lock file; installs one into .tools/ where there is none.
# Usage: find-uv.sh [PYTHON]    PYTHON makes the virtual environment that the installed one lives in
set -euo pipefail
cd "$(dirname "$0")/.."
readonly OWN=.tools/uv/bin/uv

new_enough() {
    [[ $("$1" --version 2>/dev/null) =~ ^uv\ ([0-9]+)\.([0-9]+)\. ]] &&
        ((BASH_REMATCH[1] > 0 || BASH_REMATCH[2] >= 8))
}

install_own() {
    local python=${1:-}
    [ -n "$python" ] || python=$(scripts/find-python.sh)
    echo "Installing uv into .tools/ …" >&2
    rm -rf .tools/uv
    if ! "$python" -m venv .tools/uv >&2; then
        rm -rf .tools/uv
        echo "$python cannot make virtual environments. On Debian and Ubuntu: apt install python3-venv. Or install uv yourself." >&2
        return 1
    fi
    .tools/uv/bin/python -m pip install --quiet --disable-pip-version-check --no-input \
        --only-binary :all: --require-hashes -r scripts/uv.txt >&2
}

for uv in "$(type -P uv || true)" "$OWN"; do
    if [ -n "$uv" ] && new_enough "$uv"; then
        echo "$uv"
        exit 0
    fi
done
install_own "${1:-}"
echo "$OWN"
