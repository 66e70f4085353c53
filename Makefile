# Everything lives in .venv, made from the hashed locks in requirements/; a lock that did not change is not installed again.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help run test quick soak bench setup setup-run lint format lock renew clean

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install -qq --require-hashes
UV := 0.13.9

RUN_LOCKS := requirements/server.txt requirements/embedded.txt requirements/build.txt
DEV_LOCKS := requirements/dev.txt requirements/build.txt
key = $(shell cat $(1) pyproject.toml | cksum | tr ' ' '-')
RUN_STAMP := $(VENV)/.run-$(call key,$(RUN_LOCKS))
DEV_STAMP := $(VENV)/.dev-$(call key,$(RUN_LOCKS) $(DEV_LOCKS))

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: setup-run ## Start a database of its own, load the catalogue, ask a first question, and serve
	@$(BIN)/cab dev

test: setup ## Run every check: format, lint, types, import contracts, wheel, tests
	@bash .ci/checks

quick: setup ## Check style, types and imports, run the unit tests: for every edit, under 90 seconds
	@bash .ci/checks quick

# Whatever has a short form (tests/sizes.py).
SOAKS = $(shell grep -lr --include='test_*.py' 'sizes import\|soak import' tests)
# Rounds that held are kept in .soak/ and not ridden again at the same commit: what was ended goes on.
soak: setup ## Run the long tests in their whole length; what was ended goes on where it was
	@CAB_SOAK=1 $(BIN)/python -m pytest -n 2 --dist worksteal -q $(SOAKS); ended=$$?; \
	$(BIN)/python -m tests.soak; exit $$ended

bench: setup ## Measure
	@$(BIN)/python -m bench

lint: setup ## Check style, types and import contracts; run no test
	@bash .ci/checks static

format: setup ## Format, and repair what can be repaired
	@$(BIN)/ruff check --quiet --fix-only .
	@$(BIN)/ruff format .

setup: $(DEV_STAMP) ## Make the environment for development

setup-run: $(if $(wildcard $(DEV_STAMP)),,$(RUN_STAMP))

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "CAB Registry needs Python 3.11 or later, and there is no python3 on the path." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "CAB Registry needs Python 3.11 or later; $(PYTHON) is $$($(PYTHON) -V 2>&1). Name another: make PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) -r requirements/pip.txt

$(RUN_STAMP): | $(BIN)/python
	@echo "Installing what the service needs into $(VENV) ..."
	@$(PIP) $(foreach lock,$(RUN_LOCKS),-r $(lock))
	@$(BIN)/python -m pip --disable-pip-version-check install -qq --no-build-isolation --no-deps -e .
	@rm -f $(VENV)/.run-* && touch $@

$(DEV_STAMP): | $(BIN)/python
	@echo "Installing what development needs into $(VENV) ..."
	@$(PIP) $(foreach lock,$(DEV_LOCKS),-r $(lock))
	@$(BIN)/python -m pip --disable-pip-version-check install -qq --no-build-isolation --no-deps -e .
	@rm -f $(VENV)/.dev-* && touch $@

# Each lock keeps the versions that it has where it can; `make renew` takes the newest.
LOCK = .venv-lock/bin/uv pip compile --quiet $(UPGRADE) --universal --python-version 3.11 --generate-hashes \
	--no-strip-extras --no-header --no-annotate --no-emit-index-url --no-emit-find-links
# Older pips take the pin of name[extra] for no pin of the bare name: each such pin is written for both.
define PIN_BARE
/^[^ ]/ { if (bare != "") print bare; bare = ""; if ($$0 ~ /\[/) { bare = $$0; sub(/\[[^]]*\]/, "", bare) } print; next }
{ print; if (bare != "") bare = bare "\n" $$0 }
END { if (bare != "") print bare }
endef
export PIN_BARE
lock: ## Write the locks anew from pyproject.toml and requirements/*.in
	@test -x .venv-lock/bin/uv || { $(PYTHON) -m venv .venv-lock && .venv-lock/bin/pip --disable-pip-version-check install -qq uv==$(UV); }
	@$(LOCK) -o requirements/pip.txt requirements/pip.in
	@$(LOCK) -o requirements/build.txt requirements/build.in
	@$(LOCK) -o requirements/server.txt pyproject.toml --extra server
	@$(LOCK) -o requirements/client.txt pyproject.toml -c requirements/server.txt
	@$(LOCK) -o requirements/embedded.txt requirements/embedded.in -c requirements/server.txt
	@$(LOCK) -o requirements/dev.txt requirements/dev.in requirements/server.txt requirements/embedded.txt
	@for lock in requirements/*.txt; do awk "$$PIN_BARE" $$lock > $$lock.new && mv $$lock.new $$lock; done

renew: ## Write the locks anew with the newest versions of everything; then run make test
	@$(MAKE) --no-print-directory lock UPGRADE=--upgrade

clean: ## Remove what was made here, the kept database excepted
	@rm -rf $(VENV) .venv-lock build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .soak *.egg-info
