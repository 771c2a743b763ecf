# Every recipe runs on a fresh clone: the first one installs .venv from the lock, later ones find it there.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.SUFFIXES:

PYTHON ?= python3
PORT ?= 8080
PYTEST_WORKERS ?= 2
export PYTHON PORT

bin := .venv/bin
# Tools are found in .venv first: `airflow standalone` starts "airflow" by name.
export PATH := $(CURDIR)/$(bin):$(PATH)
# Nobody's own packages, cache folders or terminal settings take part; without bytecode each process compiles Airflow anew.
export PYTHONNOUSERSITE := 1
unexport PYTHONPATH PYTHONDONTWRITEBYTECODE

.PHONY: help
help: ## Print these recipes
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: install
install: .venv/.stamp ## Make .venv from the lock (the other recipes do it by themselves)

# The stamp is keyed on what decides the contents of .venv.
.venv/.stamp: requirements-dev.lock scripts/uv.lock scripts/install.sh pyproject.toml
	@scripts/install.sh
	touch $@

.PHONY: demo
demo: install ## Run three nights and the weekly brief of the demo company in Airflow; print the brief's path
	@$(bin)/python include/demo/run.py

.PHONY: test
test: install ## Unit, SQL, contract, golden and DAG tests, on DuckDB and on PostgreSQL (minutes)
	@# One worker per file, so that what a file builds once (a company's nights) is built once; long files come first.
	$(bin)/python -m pytest -n $(PYTEST_WORKERS) --dist loadscope --no-loadscope-reorder --durations 10

.PHONY: proof
proof: install ## The slow proofs: kill matrix, a real scheduler, the services of the compose file, replays
	@$(bin)/python -m pytest -m proof --durations 10

.PHONY: test-live
test-live: install ## Two nights against a real Request Tracker 5, compared with what it says (Debian, root, network)
	@$(bin)/python scripts/live/request_tracker.py

.PHONY: lint
lint: install ## ruff, the shape of the SQL, and every definition
	@scripts/lint.sh

.PHONY: check
check: install ## Check every definition (`hansei check`)
	@$(bin)/hansei check

.PHONY: format
format: install ## Let ruff format and mend what it can
	@$(bin)/ruff check --fix .
	$(bin)/ruff format .

.PHONY: bench
bench: install ## Measure speed and size on this machine (docs/benchmarks.md records the figures)
	@$(bin)/python scripts/bench.py

.PHONY: docs
docs: install ## Write the generated references under docs/
	@$(bin)/hansei docs

.PHONY: airflow
airflow: install ## Start Airflow with the DAGs on the demo company: http://localhost:8080 (PORT=...), Ctrl-C stops it
	@exec scripts/airflow-standalone.sh

.PHONY: lock
lock: install ## Resolve the locks again from pyproject.toml (UPGRADE=1 lets versions move)
	@scripts/lock.sh

.PHONY: clean
clean: ## Remove caches and what runs left behind (.hansei, .airflow); keeps .venv
	@rm -rf .hansei .airflow .pytest_cache .ruff_cache .hypothesis build dist plugins/*.egg-info
	find . -name __pycache__ -type d -not -path './.venv/*' -prune -exec rm -rf {} +

.PHONY: distclean
distclean: clean ## clean, and .venv too
	@rm -rf .venv
