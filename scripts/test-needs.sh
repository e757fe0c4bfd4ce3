#!/usr/bin/env bash
# See to the programs that the tests drive: installs them where it may, else names what is missing.
set -euo pipefail

missing=()
need() { # PACKAGE COMMAND...
    local package=$1 command
    shift
    for command in "$@"; do
        if type -P "$command" >/dev/null; then return; fi
    done
    missing+=("$package")
}

need chromium chromium chromium-browser google-chrome
need espeak-ng espeak-ng
# Debian keeps the server's programs out of the way.
compgen -G "/usr/lib/postgresql/*/bin/postgres" >/dev/null || need postgresql postgres
[ ${#missing[@]} -gt 0 ] || exit 0

if type -P apt-get >/dev/null; then
    as_root=()
    [ "$(id -u)" = 0 ] || as_root=(sudo -n)
    if "${as_root[@]}" true 2>/dev/null; then
        echo "Installing ${missing[*]} …"
        export DEBIAN_FRONTEND=noninteractive
        if "${as_root[@]}" apt-get update -qq </dev/null &&
            "${as_root[@]}" apt-get install -qq -y --no-install-recommends "${missing[@]}" </dev/null >/dev/null; then
            exit 0
        fi
    fi
fi
echo "Not installed: ${missing[*]}. The tests that need them are skipped." >&2
