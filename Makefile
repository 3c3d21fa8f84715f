# Two commands do all the set-up on a fresh machine: `make demo` runs the main job, `make test` passes the tests.
.DEFAULT_GOAL := help
SHELL := /bin/bash
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: help
help: ## what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

.PHONY: install
install: ## .venv with sampan in it, and what the distribution must give (venv, crun)
	@VENV=$(VENV) scripts/bootstrap.sh run

.PHONY: install-test
install-test:
	@VENV=$(VENV) scripts/bootstrap.sh test

.PHONY: demo
demo: install ## a cluster, a chart on it, calls through Service name and NodePort
	@$(BIN)/python examples/demo.py

.PHONY: lint
lint: install-test ## ruff, mypy --strict, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

.PHONY: unit
unit: install-test ## unit tests and guards: no root, no processes of others
	$(BIN)/python -m pytest -q tests/unit tests/guards

.PHONY: test
test: lint ## everything that CI runs: static checks, unit, conformance against real kubectl and helm, cluster
	$(BIN)/python -m pytest -q tests

.PHONY: bench
bench: install-test ## the figures of docs/benchmarks.md, each beside its peer where the peer can be had
	@for script in bench/*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

.PHONY: clean
clean: ## remove caches and the virtual environment; clusters stay (sampan delete)
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis dist
