#!/usr/bin/env bash
# Mend what the linters and formatters can mend by themselves.
set -euo pipefail
cd "$(dirname "$0")/.."

.venv/bin/ruff check --fix --quiet . || true
.venv/bin/ruff format --quiet .
.venv/bin/python -m switchboard.browser.typescript frontend/src/voice/protocol.gen.ts
.venv/bin/python -m switchboard.console.typescript frontend/console/protocol.gen.ts
.venv/bin/python scripts/softphone_types.py frontend/softphone/protocol.gen.ts
.venv/bin/python -m switchboard schema >session_config.schema.json
.venv/bin/python -m switchboard openapi >docs/openapi.json
git ls-files -z '*package-lock.json' | xargs -0 .venv/bin/python scripts/complete_npm_lock.py
[ ! -d frontend/node_modules ] || npm --prefix frontend run --silent fix </dev/null
