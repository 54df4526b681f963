# One verb for each thing people and build machines do here. `make help` lists them.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

UV_VERSION := 0.13.9
PYTHON ?= python3
UV := .tools/bin/uv
BIN := .venv/bin
CHECKED := shared services deploy tests bench

# Each finished step of `setup` leaves one of these, so that it is done again only when what it read has changed.
UV_READY := .tools/uv-$(UV_VERSION)
VENV_READY := .venv/synced
KAFKA_READY := deploy/local/kafka/libs/copied

.PHONY: help setup lock check fix unit test demo bench up down status clean

help: ## Show what there is to make
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  \033[1m%-8s\033[0m %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(VENV_READY) $(KAFKA_READY) ## Bring everything the system needs on this machine

lock: $(UV_READY) ## Choose the versions of all packages anew
	$(UV) pip compile -q pyproject.toml --upgrade --universal --generate-hashes --no-header --no-annotate \
		-o deploy/locks/services.txt
	$(UV) pip compile -q pyproject.toml --upgrade --universal --generate-hashes --no-header --no-annotate \
		--group dev --group mongodb --group bench -o deploy/locks/workbench.txt

check: setup ## Verify style, types and who may import whom
	$(BIN)/ruff check $(CHECKED)
	$(BIN)/ruff format --check $(CHECKED)
	$(BIN)/mypy
	$(BIN)/lint-imports

fix: setup ## Repair what can be repaired by machine
	$(BIN)/ruff check --fix $(CHECKED)
	$(BIN)/ruff format $(CHECKED)

unit: setup ## Run the tests that need no server; seconds
	$(BIN)/pytest -n 2 --dist worksteal tests/unit

test: check ## Run what a build machine runs
	$(BIN)/pytest -n 2 --dist loadfile

demo: setup ## Show the system at work with generated people, then leave nothing behind
	$(BIN)/guanhu demo

bench: setup ## Measure
	$(BIN)/python -m bench

up: setup ## Start the system on this machine; its data is kept
	$(BIN)/guanhu up

down: setup ## Stop it
	$(BIN)/guanhu down

status: setup ## Show its processes
	$(BIN)/guanhu status

clean: ## Remove what can be made again; the data of `make up` stays
	rm -rf .venv .tools deploy/local/kafka/libs .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find $(CHECKED) -name __pycache__ -prune -exec rm -rf {} +

$(UV_READY):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or later is missing; name one with: make setup PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' \
		|| { echo "Python's venv is missing; install it with: apt-get install -y python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv .tools
	.tools/bin/pip install -q --disable-pip-version-check uv==$(UV_VERSION)
	@touch $@

$(VENV_READY): $(UV_READY) deploy/locks/workbench.txt pyproject.toml
	$(UV) venv -q --allow-existing --python $(PYTHON) .venv
	$(UV) pip sync -q --python $(BIN)/python deploy/locks/workbench.txt
	$(UV) pip install -q --python $(BIN)/python --no-deps -e .
	@"$$($(BIN)/python -c 'from deploy.local import mongo; print(mongo.executable())')" --version > /dev/null \
		|| { echo "mongod lacks a library; install it with: apt-get install -y libcurl4 libssl3 liblzma5" >&2; exit 1; }
	@touch $@

$(KAFKA_READY): deploy/local/kafka/pom.xml
	@command -v java > /dev/null \
		|| { echo "Java is missing; install it with: apt-get install -y openjdk-17-jre-headless" >&2; exit 1; }
	@command -v mvn > /dev/null \
		|| { echo "Maven is missing; install it with: apt-get install -y maven" >&2; exit 1; }
	rm -rf $(@D)
	mvn -q -f $< dependency:copy-dependencies
	@touch $@
