.DEFAULT_GOAL := help
SHELL := bash

PAGE := src/switchboard/browser/page/index.html
PAGE_SOURCES := $(shell find frontend -type f -not -path '*/node_modules/*' 2>/dev/null)
LOCKED := pyproject.toml uv.lock scripts/python-packages.sh

.PHONY: help run test test-long container check fix bench page pictures clean

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

run: .venv/.run-packages page ## serve the agent's page on http://127.0.0.1:8000 (PORT), all offline
	@exec .venv/bin/switchboard-local up

test: .venv/.dev-packages page ## run every test but the long ones
	@scripts/test.sh -n 3 --dist loadfile -m "not long"

test-long: .venv/.dev-packages page ## run the tests that take minutes
	@scripts/test.sh -m long

container: .venv/.dev-packages ## build the image and run it confined, where this machine can
	@scripts/container.sh

check: .venv/.dev-packages page ## lint, formats, types, import rules, scripts
	@scripts/check.sh

fix: .venv/.dev-packages page ## mend what the linters can mend
	@scripts/fix.sh

pictures: .venv/.dev-packages page ## take the console's pictures for docs/screenshots, on a scripted day
	@CONSOLE_SHOTS=docs/screenshots scripts/test.sh tests/console/test_wide.py tests/console/test_narrow.py tests/console/test_ringing.py

bench: .venv/.dev-packages ## measure; NAMES="relay start" chooses, bench/README.md explains
	@.venv/bin/python -m bench $(if $(BASE),--base $(BASE)) $(NAMES)

page: $(PAGE) ## build the web page, where Node.js 20.19 or newer is present

clean: ## remove what was built or installed here
	@scripts/clean.sh

$(PAGE): $(PAGE_SOURCES) scripts/page.sh
	@scripts/page.sh

.venv/.run-packages: $(LOCKED)
	@scripts/python-packages.sh run

.venv/.dev-packages: $(LOCKED)
	@scripts/python-packages.sh dev
