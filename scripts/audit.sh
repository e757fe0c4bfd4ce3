#!/usr/bin/env bash
# The locked packages against the lists of known weaknesses: Python's, and npm's for page and tests.
# Offline, these tools find nothing and say that all is well: so this asks first, and says NOT audited.
# With CI set, what could not be audited fails.
set -uo pipefail
cd "$(dirname "$0")/.." || exit

failed=()
not_here() { # WHAT WHY
    echo "$1: NOT audited here: $2" >&2
    [ -z "${CI:-}" ] || failed+=("$1")
}

answers() { # URL
    curl --silent --fail --location --max-time 20 --output /dev/null "$1"
}

audit_python() {
    if ! answers https://pypi.org/pypi/pip/json; then
        not_here Python "its list is out of reach."
        return
    fi
    local uv requirements told
    uv=$(scripts/find-uv.sh)
    requirements=$(mktemp)
    "$uv" export --quiet --frozen --all-extras --no-emit-project --output-file "$requirements" >/dev/null
    told=$("$uv" tool run --quiet pip-audit@2.10.1 --strict --disable-pip --require-hashes \
        -r "$requirements" 2>&1)
    case $?:$told in
        0:*) echo "Python: $told" ;;
        *"not found on PyPI"*) not_here Python "this registry's list is not whole." ;;
        *) echo "$told" && failed+=("Python") ;;
    esac
    rm -f "$requirements"
}

audit_npm() { # FOLDER
    # It has one address for this, which takes POST only.
    if ! npm --prefix "$1" ping >/dev/null 2>&1; then
        not_here "$1" "npm's registry is out of reach."
        return
    fi
    local told
    told=$(npm --prefix "$1" audit --audit-level=high 2>&1)
    case $?:$told in
        0:*) echo "$1: $(tail -n 1 <<<"$told")" ;;
        *"audit endpoint"* | *ENOAUDIT* | *"404"*) not_here "$1" "this registry keeps no list." ;;
        *) echo "$told" && failed+=("$1") ;;
    esac
}

audit_python
audit_npm frontend
audit_npm tests/js
if [ ${#failed[@]} -gt 0 ]; then
    echo "Failed: ${failed[*]}" >&2
    exit 1
fi
