#!/usr/bin/env bash
# What `make lint`, the commit hook and CI run: one list, so that they never differ. Every check runs; any fault fails.
set -uo pipefail
cd "$(dirname "$0")/.."

failed=0
run() {
  echo "lint: $*"
  "$@" || failed=1
}

run .venv/bin/ruff check .
run .venv/bin/ruff format --check .
run .venv/bin/python scripts/lint_sql.py include/sql
run .venv/bin/hansei check
# The definitions that are shipped to be laid over the others: the demo company's and the examples.
run .venv/bin/hansei check include/demo/definitions include/definitions/examples/*/
exit $failed
