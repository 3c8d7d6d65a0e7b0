# Two commands do everything on a bare machine with Python >= 3.11, git and make:
#   make demo   see the main job done on an example backlog, no key and no server
#   make test   run every test
# Other targets are for developers; see CONTRIBUTING.md.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PYTEST_ARGS ?=
AUDIT_ARGS ?=

.PHONY: demo test lint check audit coverage bench lock clean

demo: $(VENV)/.base
	$(BIN)/jjm demo

test: $(VENV)/.dev
	$(BIN)/python -m pytest -n auto --dist worksteal $(PYTEST_ARGS)

lint: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/bandit -q -c pyproject.toml -r src

# Known vulnerabilities of what the lock files install. Asks the advisory service, so it needs the
# network; AUDIT_ARGS=--if-reachable leaves the audit out, and says so, where there is none.
audit: $(VENV)/.dev
	$(BIN)/python scripts/audit.py $(AUDIT_ARGS) requirements.lock requirements-dev.lock

check: lint coverage

coverage: $(VENV)/.dev
	$(BIN)/coverage erase
	$(BIN)/python -m pytest -n auto --dist worksteal --cov --cov-report= $(PYTEST_ARGS)
	$(BIN)/coverage report --skip-covered
	$(BIN)/coverage json -q -o - | $(BIN)/python scripts/check_coverage.py --least 85

bench: $(VENV)/.dev
	$(BIN)/python benchmarks/startup.py
	$(BIN)/python benchmarks/growth.py
	$(BIN)/python benchmarks/backlog_import.py
	$(BIN)/python benchmarks/decide.py
	$(BIN)/python benchmarks/simulated_day.py --only day --every 60
	$(BIN)/python benchmarks/simulated_day.py --only watch --steps 30
	$(BIN)/python benchmarks/sandbox.py

lock: $(VENV)/.dev
	$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
	  --no-header --no-annotate --no-emit-index-url --upgrade -o requirements.lock
	$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
	  --no-header --no-annotate --no-emit-index-url --upgrade --all-extras --group dev -o requirements-dev.lock

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; name it with: make PYTHON=python3.x"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
	  { echo "This Python cannot make virtual environments; install its venv package (Debian: python3-venv)."; exit 1; }

# --no-deps: the lock files are complete, so nothing is resolved. Resolving again broke a locked
# install once: for "coverage[toml]" pip looked at a release newer than the locked one.
$(VENV)/.base: requirements.lock pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps -e .
	@touch $@

$(VENV)/.dev: requirements-dev.lock pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --require-hashes -r requirements-dev.lock
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps -e .
	@touch $@ $(VENV)/.base

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage*
