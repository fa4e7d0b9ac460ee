# Storywire. All it takes is make and Python 3.11 or newer: `make demo` or `make up` installs the rest into .venv.

BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet --quiet
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
PYTEST_ARGS ?=
unexport PYTHONDONTWRITEBYTECODE # a test starts the command hundreds of times: each would compile it anew, 0.15 s of a core

.DEFAULT_GOAL := help
.PHONY: help up demo install dev test lint bench soak docs picture pictures lock clean

help: ## what can be made
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1|\2/' | column -t -s '|'

up: install ## watch the news: poller, worker, server, page and report in one terminal
	@$(BIN)/storywire up

demo: install ## watch a newsroom of this machine's own, without internet
	@$(BIN)/storywire demo

install: .venv/installed ## the command, as .venv/bin/storywire

dev: .venv/installed-dev

test: dev lint ## check the code, then run all tests
	@$(BIN)/python -m pytest -q -n 3 --dist worksteal -m "not slow" $(PYTEST_ARGS)

lint: dev ## style, types, layers
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache --no-logo

bench: dev .venv/installed-bench ## measure quality and speed; half an hour
	@$(BIN)/python -m pytest -q -s -p no:randomly -m slow tests/bench $(PYTEST_ARGS)

soak: dev ## the long runs: two weeks at 50,000 articles a day, 200 kills, a flood; an hour and a half
	@$(BIN)/python -m pytest -q -s -p no:randomly -m slow tests/fault tests/deploy $(PYTEST_ARGS)
	@SOAK_RATE=50000 $(BIN)/python -m pytest -q -s -p no:randomly tests/soak $(PYTEST_ARGS)

docs: dev ## write the pages of docs/ that come from the code
	@$(BIN)/python -m docs.generate

picture: dev ## draw docs/report.svg anew, and take docs/page.png, which needs Chromium
	@$(BIN)/python -m docs.picture
	@$(BIN)/python -m docs.screenshot

pictures: dev ## every page in both themes, on a phone and a desktop, into build/pictures; checked for everybody's use
	@mkdir -p build/pictures
	@PICTURES=build/pictures $(BIN)/python -m pytest -q -p no:randomly tests/browser/test_accessibility.py $(PYTEST_ARGS)

lock: ## resolve the dependencies anew into constraints.txt
	@rm -rf build/lock
	@$(PYTHON) -m venv build/lock
	@build/lock/bin/python -m pip --disable-pip-version-check --quiet install --upgrade '.[dev,bench]'
	@{ echo '# Every version that the tests passed with; `make lock` writes it, pip reads it with -c.'; \
		build/lock/bin/python -m pip freeze --exclude storywire; } > build/constraints.txt
	@! grep -n '://\| @ ' build/constraints.txt
	@mv build/constraints.txt constraints.txt
	@rm -rf build/lock

clean: ## remove all that was made here, the virtual environment too
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/python:
	@test -n "$(PYTHON)" || { echo 'Storywire needs Python 3.11 or newer: install it, or say `make PYTHON=/path/to/python3`.' >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo 'Storywire needs Python 3.11 or newer, $(PYTHON) is older: say `make PYTHON=/path/to/python3`.' >&2; exit 1; }
	@$(PYTHON) -m venv .venv || { rm -rf .venv; exit 1; }
	@touch $@

.venv/installed: .venv/python pyproject.toml constraints.txt
	@echo 'Installing Storywire into .venv ...' >&2
	@$(PIP) install -c constraints.txt -e .
	@touch $@

.venv/installed-dev: .venv/installed
	@echo 'Installing the tools for tests into .venv ...' >&2
	@$(PIP) install -c constraints.txt -e '.[dev]'
	@touch $@

.venv/installed-bench: .venv/installed-dev
	@echo 'Installing the packages of the side by side into .venv ...' >&2
	@$(PIP) install -c constraints.txt -e '.[bench]'
	@touch $@
