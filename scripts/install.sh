#!/usr/bin/env bash
# Makes .venv from the lock: the exact versions, each file checked against its hash, then the package itself in place.
# Needs Python 3.11 or newer with venv, and a package index that pip can reach; nothing else.
set -euo pipefail
cd "$(dirname "$0")/.."

python=${PYTHON:-python3}
stop() { echo "install: $*" >&2; exit 1; }

if [ ! -x .venv/bin/python ]; then
  command -v "$python" >/dev/null || stop "$python not found: install Python 3.11 or newer, or name it: make PYTHON=python3.12"
  "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    stop "$("$python" -V) is too old: Python 3.11 or newer is needed; name one: make PYTHON=python3.12"
  "$python" -c 'import ensurepip, venv' 2>/dev/null ||
    stop "$python has no venv module: apt-get install python3-venv"
  "$python" -m venv .venv
fi

pip=(.venv/bin/python -m pip --disable-pip-version-check --no-input --quiet)
echo "install: packages of requirements-dev.lock into .venv (once; about 1 GB)"
# uv installs the set in seconds. Where it cannot be had, or cannot reach the index that pip is configured for, pip does it.
if "${pip[@]}" install --require-hashes --only-binary :all: --requirement scripts/uv.lock &&
  .venv/bin/uv pip install --quiet --system-certs --python .venv/bin/python --require-hashes --requirement requirements-dev.lock; then
  :
else
  echo "install: uv did not manage; pip takes over (minutes)" >&2
  "${pip[@]}" install --require-hashes --requirement requirements-dev.lock
fi
# Built with the locked setuptools: no download, no isolation.
"${pip[@]}" install --no-deps --no-index --no-build-isolation --editable .
# Where Python may not write bytecode (PYTHONDONTWRITEBYTECODE), each process would compile again all that it imports:
# Airflow and Great Expectations alone are eight seconds. Packages' own tests and templates are left as they are.
.venv/bin/python -m compileall -qq -j 0 -x '/tests?/' .venv/lib plugins dags || true
