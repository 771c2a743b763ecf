#!/usr/bin/env bash
# Writes the locks from pyproject.toml: every package with its version and the hashes of all its files, for every
# platform, and neither an index nor a path of this machine. `UPGRADE=1` lets versions move; without it they stay.
set -euo pipefail
cd "$(dirname "$0")/.."

uv=.venv/bin/uv
options=(--quiet --universal --python-version 3.11 --generate-hashes --no-annotate --system-certs
  --custom-compile-command "make lock" ${UPGRADE:+--upgrade})

"$uv" pip compile "${options[@]}" pyproject.toml --output-file requirements.lock
"$uv" pip compile "${options[@]}" pyproject.toml --group pyproject.toml:dev --constraints requirements.lock --output-file requirements-dev.lock
"$uv" pip compile "${options[@]}" scripts/uv.in --output-file scripts/uv.lock
grep -c '==' requirements.lock requirements-dev.lock
