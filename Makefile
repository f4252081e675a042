# Every target sets up what it needs from nothing, says what it does, and is quick the second time.
PYTHON ?= python3
UV_VERSION := 0.13.9
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv
# The tests start thousands of interpreters, which share what the first of them compiled.
unexport PYTHONDONTWRITEBYTECODE

CHECKED := lastmile_sls handlers infra tests examples native hatch_build.py
NODE := tests/conformance/node
NATIVE := $(wildcard native/*.[ch]) native/build.py hatch_build.py

.PHONY: demo clouds costs test conformance explore native lock clean help
.DEFAULT_GOAL := help

help:  ## list the targets
	@awk -F':.*## ' '/^[a-z]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.demo  ## set up, train the example, deploy it on this machine, predict over HTTP
	@$(BIN)/python examples/breast-cancer/demo.py

clouds: $(VENV)/.clouds  ## set up what previews of AWS, Google Cloud and Azure, and deployments there, are made of

costs: $(VENV)/.costs  ## set up, and report what a synthetic month of the examples costs
	@$(BIN)/lastmile costs --example

test: $(VENV)/.dev  ## set up, then check format, lint, types and run the tests
	@echo "==> format and lint"; $(BIN)/ruff format --check $(CHECKED) && $(BIN)/ruff check $(CHECKED)
	@echo "==> types"; $(BIN)/mypy
	@echo "==> tests"; $(BIN)/pytest -q -n 2 --dist worksteal -m "not conformance" --ignore tests/conformance

conformance: $(VENV)/.conformance $(NODE)/node_modules/.package-lock.json  ## what needs heavy frameworks or clients that others wrote
	@echo "==> conformance"; $(BIN)/pytest -q -n 2 --dist worksteal -m conformance

explore: $(VENV)/.dev  ## look for examples that break a property: other ones each time
	@HYPOTHESIS_PROFILE=default $(BIN)/pytest -q -n 2 --dist worksteal -m "hypothesis and not conformance" --ignore tests/conformance

$(UV):
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if (3, 11) <= v < (3, 15) else "Python %d.%d is too old or too new: install Python 3.11 to 3.14, or name one: make PYTHON=python3.12" % v[:2])'
	@echo "==> creating $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

$(VENV)/.demo: requirements/demo.txt pyproject.toml $(NATIVE) | $(UV)
	@echo "==> installing what the demo needs"
	@$(UV) pip install --quiet --python $(VENV) --no-deps -r requirements/demo.txt
	@$(UV) pip install --quiet --python $(VENV) --no-deps --editable .
	@touch $@

$(VENV)/.clouds: requirements/clouds.txt | $(VENV)/.demo
	@echo "==> installing the clouds' SDKs"
	@$(UV) pip install --quiet --python $(VENV) --no-deps -r requirements/clouds.txt
	@touch $@

$(VENV)/.costs: requirements/costs.txt | $(VENV)/.demo
	@echo "==> installing what cost reports need"
	@$(UV) pip install --quiet --python $(VENV) --no-deps -r requirements/costs.txt
	@touch $@

$(VENV)/.dev: requirements/dev.txt pyproject.toml $(NATIVE) | $(UV)
	@echo "==> installing what the tests need"
	@$(UV) pip install --quiet --python $(VENV) --no-deps -r requirements/dev.txt
	@$(UV) pip install --quiet --python $(VENV) --no-deps --editable .
	@touch $@ $(VENV)/.demo $(VENV)/.clouds $(VENV)/.costs

$(VENV)/.conformance: requirements/conformance.txt pyproject.toml | $(VENV)/.dev
	@echo "==> installing what the conformance tests need"
	@$(UV) pip install --quiet --python $(VENV) --no-deps -r requirements/conformance.txt
	@touch $@

# Azurite and the evaluator of AWS's policies; without npm the tests that need them are skipped, and say so.
$(NODE)/node_modules/.package-lock.json: $(NODE)/package-lock.json
	@if command -v npm >/dev/null; then \
	  echo "==> installing what the conformance tests take from npm"; \
	  npm --prefix $(NODE) ci --ignore-scripts --no-audit --no-fund --silent; \
	else echo "==> npm is not here: tests that need it are skipped"; fi

native: | $(UV)  ## compile the native evaluator anew, for every processor
	@$(UV) run --quiet --no-project --python $(BIN)/python --with "$$($(BIN)/python native/build.py --requirement)" native/build.py

lock: | $(UV)  ## resolve the requirements files anew
	@set -e; for set in sklearn:demo clouds:clouds costs:costs dev:dev conformance:conformance; do \
	  echo "==> requirements/$${set#*:}.txt"; \
	  $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --override requirements/overrides.txt \
	    --no-emit-index-url --no-emit-find-links --no-header --no-annotate \
	    --no-emit-package lastmile-sls --extra $${set%:*} pyproject.toml -o requirements/$${set#*:}.txt; \
	done

clean:  ## remove the virtual environment, every cache and what was compiled
	@rm -rf $(VENV) $(NODE)/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis dist handlers/lastmile_runtime/native
