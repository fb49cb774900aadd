# What a person types. Everything needs only make and Python >= 3.11; `make help` lists the targets.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help demo test check bench performance load fuzz serve clean lock docs environment-run environment-demo environment-test

BIN := .venv/bin
ARGS ?=
# Tests run on this many processes; ARGS='-n 0' runs them in one, for a debugger.
WORKERS ?= auto
PACKAGES := lockgate flags gateway review
OURS := $(PACKAGES) demo loadtests tests deploy

# The first Python on the path that is new enough and runs; the shims of version managers may be there and not run.
find_python = for python in python3.14 python3.13 python3.12 python3.11 python3 python; do \
	if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then echo "$$python"; exit 0; fi; \
	done

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile

demo: environment-demo ## three models, real raters, and a caller who waits for you (ONCE=1: without a person)
	@$(BIN)/python -m demo $(if $(filter-out 0,$(ONCE)),--once) $(ARGS)

test: environment-test ## the whole test suite (ARGS='…' goes to pytest)
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile $(ARGS)

check: environment-test ## style, types, contracts, and docs that are in step with the code
	$(BIN)/ruff check $(OURS)
	$(BIN)/ruff format --check $(OURS)
	$(BIN)/mypy
	$(BIN)/python -m tests.contracts.imports
	$(BIN)/python -m pytest -q tests/contracts

bench: environment-test ## the benchmarks; the last line is one JSON object
	@$(BIN)/python -m tests.bench $(ARGS)

performance: environment-test ## the serving benchmarks, about ten minutes, and docs/performance.md made of them
	@$(BIN)/python -m tests.bench.page $(ARGS)

load: environment-test ## services, reviewers and an operator at work on a fresh server, with budgets and a report
	@$(BIN)/python -m loadtests $(ARGS)

fuzz: environment-test ## a million hostile requests, for a night (ARGS='10000 --seed 7 --processes 1': fewer, others)
	@$(BIN)/python -m tests.fuzz $(ARGS)

serve: environment-run ## lockgate serve, with the settings of this folder
	@$(BIN)/lockgate serve $(ARGS)

docs: environment-test ## write the tables of docs/ and the code of the protocol anew
	@$(BIN)/python -m tests.contracts.proto --write
	@$(BIN)/python -m tests.contracts.docs --write

lock: ## write requirements/ anew from pyproject.toml (needs uv)
	@sh requirements/lock.sh

clean: ## remove everything that these targets made
	rm -rf .venv .venv.lock .tools .demo .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis \
		test-results dist build
	find $(OURS) -name __pycache__ -type d -prune -exec rm -rf {} +

environment-run environment-demo environment-test: environment-%:
	@python=$$($(find_python)); \
	if [ -z "$$python" ]; then \
		echo "Lockgate needs Python 3.11 or newer and found none: install it (https://www.python.org/downloads/) and try again." >&2; \
		exit 1; \
	fi; \
	"$$python" deploy/bootstrap.py $*
