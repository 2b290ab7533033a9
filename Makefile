# Everything a fresh machine needs is Python 3.11+ and make. `make help` lists the targets.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
SECONDS ?=
JOBS ?= 3
ARGS ?=
COMPILER = $(shell command -v cc)

.DEFAULT_GOAL := help
.PHONY: help demo test check wheel bench format clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | while IFS="$$(printf '\t')" read -r name text; do printf '  make %-8s %s\n' "$$name" "$$text"; done

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "error: Python 3.11 or newer is needed; name one with PYTHON=python3.12" >&2; exit 1; }
	@echo "setting up $(VENV)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $(READY)

demo: $(READY) ## See everything at work until Ctrl-C, or for SECONDS=120
	@$(BIN)/evcs demo $(if $(SECONDS),--seconds $(SECONDS))

test: $(READY) ## Run all tests, on a real broker and a real ClickHouse that are started for them
	@$(BIN)/python -m pytest -n $(JOBS) $(ARGS)

check: $(READY) ## The gate before a commit: format, lint, types, imports, schemas, fast tests
	@$(BIN)/ruff format --check --quiet . || { echo "run: make format" >&2; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache | tail -n 2
	@$(BIN)/evcs schemas check
	@$(BIN)/python -m pytest -q -n $(JOBS) -m "not kafka and not clickhouse and not slow" $(ARGS)

wheel: $(READY) ## Pack dist/*.whl with the rules compiled for machines like this one (needs a C compiler)
	@rm -rf dist
	@echo "compiling the rules: a minute or two"
	@HATCH_BUILD_HOOK_ENABLE_CUSTOM=1 $(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation --wheel-dir dist .
	@ls dist/*.whl

bench: $(READY) $(if $(COMPILER),wheel) ## Measure this machine's figures (one JSON line each; minutes)
	@$(BIN)/evcs local up
	@$(BIN)/evcs bench streams $(if $(COMPILER),--wheel "$$(ls dist/*.whl)")
	@$(BIN)/evcs bench recovery
	@$(BIN)/evcs bench gateway
	@$(BIN)/evcs bench warehouse

format: $(READY) ## Format the code and mend what can be mended
	@$(BIN)/ruff check --fix --quiet .
	@$(BIN)/ruff format --quiet .

clean: ## Remove the environment and the caches; the local servers' data stay in .evcs
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist
