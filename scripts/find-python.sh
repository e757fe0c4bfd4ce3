#!/usr/bin/env bash
# Print the path of a Python that runs Switchboard (3.12 or 3.13), or say what to install.
# Candidates are executed, not believed: version managers leave shims behind that are dead.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly PROBE='
import ctypes, sqlite3, ssl, sys
if not (3, 12) <= sys.version_info[:2] < (3, 14):
    sys.exit(1)
print(getattr(sys, "_base_executable", None) or sys.executable)
'

candidates() {
    local name
    [ -z "${UV_PYTHON:-}" ] || echo "$UV_PYTHON"
    echo .venv/bin/python
    for name in python3.12 python3.13 python3 python; do
        type -aP "$name" || true
    done
    printf '%s\n' \
        "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.1[23].*/bin/python3 \
        "$HOME"/.local/share/uv/python/*/bin/python3 \
        /usr/local/bin/python3* /usr/bin/python3* /opt/homebrew/bin/python3* \
        /opt/python/*/bin/python3 /opt/hostedtoolcache/Python/3.1[23].*/*/bin/python3
    if type -P uv >/dev/null; then
        uv python find --no-python-downloads --no-project '>=3.12,<3.14' 2>/dev/null || true
    fi
}

while read -r candidate; do
    if found=$("$candidate" -I -c "$PROBE" </dev/null 2>/dev/null) && [ -x "$found" ]; then
        echo "$found"
        exit 0
    fi
done < <(candidates)

echo "No Python 3.12 or 3.13 was found. Install one (python.org, apt, brew, pyenv or uv), or set UV_PYTHON to it." >&2
exit 1
